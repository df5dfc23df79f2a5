"""Results as strict JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from medsegan_cli.document import as_json


class Result:
    def to_json(self) -> dict[str, object]:
        return {"path": Path("a/b"), "scores": (0.5, float("nan"), np.float32(0.25)), "n": np.int64(3)}


def test_what_json_does_not_know_becomes_plain() -> None:
    assert json.loads(as_json({"result": Result(), 1: None, "on": True})) == {
        "result": {"path": "a/b", "scores": [0.5, None, 0.25], "n": 3},
        "1": None,
        "on": True,
    }


def test_infinity_is_null_and_never_a_bare_word() -> None:
    assert json.loads(as_json([float("inf"), -float("inf")])) == [None, None]


def test_names_of_any_language_stay_readable() -> None:
    assert "Größe" in as_json({"Größe": 1})


def test_what_cannot_be_written_is_an_error_and_not_its_address() -> None:
    with pytest.raises(TypeError):
        as_json({"x": object()})
