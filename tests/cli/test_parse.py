"""Durations, classes and windows as people type them."""

import pytest

from medsegan.errors import UsageError
from medsegan_cli.parse import parse_classes, parse_duration, parse_window


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45s", 45), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), (" 1.5H ", 5400), ("0.5m", 30)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "m", "30 minutes", "-5m", "0s", "1h-30m", "2d"])
def test_a_duration_without_a_unit_or_sense_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--time-budget"):
        parse_duration(text)


def test_classes_keep_the_order_typed() -> None:
    assert list(parse_classes("spleen=1, right kidney=2,liver=6").items()) == [
        ("spleen", 1),
        ("right kidney", 2),
        ("liver", 6),
    ]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "NAME=VALUE"),
        ("liver", "NAME=VALUE"),
        ("liver=", "NAME=VALUE"),
        ("=3", "NAME=VALUE"),
        ("liver=-1", "NAME=VALUE"),
        ("liver=1.5", "NAME=VALUE"),
        ("liver=6,", "NAME=VALUE"),
        ("liver=0", "background"),
        ("liver=6,liver=7", "liver twice"),
        ("liver=6,spleen=6", "6 twice"),
    ],
)
def test_classes_that_make_no_sense_are_refused(text: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parse_classes(text)


def test_a_window_is_two_numbers_the_lower_first() -> None:
    assert parse_window("-125,275") == (-125.0, 275.0)
    for text in ("", "1", "1,2,3", "a,b", "275,-125", "1,1", "nan,1"):
        with pytest.raises(UsageError, match="--window"):
            parse_window(text)
