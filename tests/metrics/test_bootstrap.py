"""Intervals: reproducible, over patients, honest about few of them."""

import numpy as np
import pytest

from medsegan.errors import DataError
from medsegan.metrics import bootstrap_mean

RNG = np.random.default_rng(3)
VALUES = {f"p{n:02d}": [float(v)] for n, v in enumerate(RNG.normal(0.8, 0.1, 24))}


def test_reproducible_and_seeded():
    assert bootstrap_mean(VALUES, seed=1) == bootstrap_mean(VALUES, seed=1)
    assert bootstrap_mean(VALUES, seed=1) != bootstrap_mean(VALUES, seed=2)


def test_the_order_of_patients_does_not_matter():
    assert bootstrap_mean(dict(reversed(VALUES.items())), seed=1) == bootstrap_mean(VALUES, seed=1)


def test_close_to_the_normal_interval():
    numbers = np.concatenate(list(VALUES.values()))
    interval = bootstrap_mean(VALUES, seed=0)
    half = 1.96 * numbers.std() / np.sqrt(numbers.size)
    assert interval.mean == pytest.approx(numbers.mean())
    assert interval.low == pytest.approx(numbers.mean() - half, abs=0.15 * half)
    assert interval.high == pytest.approx(numbers.mean() + half, abs=0.15 * half)
    assert interval.n == 24


def test_patients_are_drawn_and_not_cases():
    """A hundred equal cases of each patient hold no more information than one."""
    many = {patient: numbers * 100 for patient, numbers in VALUES.items()}
    one, hundred = bootstrap_mean(VALUES, seed=5), bootstrap_mean(many, seed=5)
    assert (hundred.low, hundred.mean, hundred.high) == pytest.approx((one.low, one.mean, one.high))
    assert hundred.n == one.n == 24


def test_all_cases_of_a_patient_count_in_the_mean():
    interval = bootstrap_mean({"a": [1.0, 1.0, 1.0], "b": [0.0], "c": []}, seed=0)
    assert interval.mean == 0.75
    assert interval.n == 2
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_a_wider_level_gives_a_wider_interval():
    narrow, wide = (bootstrap_mean(VALUES, seed=0, level=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_blocks_do_not_change_the_draw(monkeypatch):
    whole = bootstrap_mean(VALUES, seed=4)
    monkeypatch.setattr("medsegan.metrics.bootstrap._BLOCK_NUMBERS", 24 * 7)
    assert bootstrap_mean(VALUES, seed=4) == whole


@pytest.mark.parametrize(("n", "meaningful"), [(1, False), (3, False), (4, True)])
def test_three_patients_are_too_few(n, meaningful):
    assert bootstrap_mean({str(i): [float(i)] for i in range(n)}, seed=0).meaningful is meaningful


@pytest.mark.parametrize("values", [{}, {"a": []}, {"a": [float("inf")]}, {"a": [float("nan")], "b": [1.0]}])
def test_no_mean_of_nothing_or_infinity(values):
    with pytest.raises(DataError):
        bootstrap_mean(values, seed=0)
