"""The clean-up: organs in one piece, and nothing done to what comes in several."""

import numpy as np
import pytest

from medsegan.slices import classes_in_one_piece, remove_small_parts


def boxes(
    *placed: tuple[int, tuple[slice, slice, slice]], shape: tuple[int, int, int] = (8, 20, 20)
) -> np.ndarray:
    """Class indices of boxes in background."""
    labels = np.zeros((8, 20, 20), np.uint8)
    for index, box in placed:
        labels[box] = index
    return labels


LIVER = (1, np.s_[1:7, 2:10, 2:9])
SPECK = (1, np.s_[7:8, 18:20, 18:20])
LUNGS = ((2, np.s_[1:7, 11:15, 1:5]), (2, np.s_[1:7, 11:15, 10:14]))


def test_a_class_with_a_speck_beside_it_is_in_one_piece_and_two_lungs_are_not() -> None:
    assert classes_in_one_piece([boxes(LIVER, SPECK, *LUNGS)], 4) == (1,)  # and class 3 never occurs


def test_one_case_in_parts_is_enough_and_one_without_the_class_says_nothing() -> None:
    whole, absent, torn = boxes(LIVER, LUNGS[0]), boxes(LUNGS[1]), boxes((1, np.s_[0:2, :4]), (1, np.s_[5:7, :4]))
    assert classes_in_one_piece([whole, absent], 3) == (1, 2)
    assert classes_in_one_piece([whole, torn, absent], 3) == (2,)
    assert classes_in_one_piece([], 3) == ()


@pytest.mark.parametrize("order", ["C", "F"])
def test_small_parts_of_the_named_classes_go_and_are_counted(order: str) -> None:
    labels = np.asarray(boxes(LIVER, SPECK, *LUNGS, (3, np.s_[0, 0, 0:2])), order=order)
    before = labels.copy()
    cleaned, removed = remove_small_parts(labels, (1, 3))
    np.testing.assert_array_equal(cleaned, boxes(LIVER, *LUNGS, (3, np.s_[0, 0, 0:2])))
    assert removed == {1: 4}
    assert cleaned.dtype == labels.dtype
    np.testing.assert_array_equal(labels, before)
    same, nothing = remove_small_parts(labels, ())
    np.testing.assert_array_equal(same, labels)
    assert nothing == {}


def test_a_bridge_over_a_corner_holds() -> None:
    labels = boxes((1, np.s_[0:3, 0:3, 0:3]), (1, np.s_[3:5, 3:5, 3:5]))
    cleaned, removed = remove_small_parts(labels, (1,))
    np.testing.assert_array_equal(cleaned, labels)
    assert removed == {}
