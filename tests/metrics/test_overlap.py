"""Dice and IoU against the golden numbers, and their edges."""

import numpy as np
import pytest

from medsegan.errors import DataError
from medsegan.metrics import Overlap, dice, iou

GOLDEN_DICE = {"A": 0.8834, "B": 0.8821, "H": 0.98297, "F": 0.9281, "I": 0.0, "G": 1.0}


@pytest.mark.parametrize("case", GOLDEN_DICE)
def test_dice_equals_the_golden_number(golden_masks, case):
    assert dice(*golden_masks[case]) == pytest.approx(GOLDEN_DICE[case], abs=5e-5)


@pytest.mark.parametrize("case", GOLDEN_DICE)
def test_iou_follows_from_dice(golden_masks, case):
    d = dice(*golden_masks[case])
    assert iou(*golden_masks[case]) == pytest.approx(d / (2 - d), abs=1e-12)


def test_counts():
    a = np.array([1, 1, 1, 0, 0], dtype=bool)
    b = np.array([0, 1, 1, 1, 1], dtype=bool)
    counts = Overlap.of(a, b)
    assert counts == Overlap(n_prediction=3, n_reference=4, n_shared=2)
    assert counts.dice == pytest.approx(4 / 7)
    assert counts.iou == pytest.approx(2 / 5)


def test_one_empty_mask_is_zero_and_two_are_undefined():
    empty, full = np.zeros(4, dtype=bool), np.ones(4, dtype=bool)
    assert dice(empty, full) == 0.0
    assert dice(full, empty) == 0.0
    assert dice(empty, empty) is None
    assert iou(empty, empty) is None


def test_probabilities_are_refused_and_not_cast():
    mask = np.ones(4, dtype=bool)
    with pytest.raises(DataError, match="float64"):
        dice(np.full(4, 0.9999), mask)


def test_shapes_must_agree():
    with pytest.raises(DataError, match=r"\(4,\).*\(5,\)"):
        iou(np.ones(4, dtype=bool), np.ones(5, dtype=bool))
