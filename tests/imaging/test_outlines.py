"""Outlines along the edges of pixels enclose exactly the pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from medsegan.imaging.outlines import trace_outlines
from medsegan.imaging.polygons import fill_even_odd

masks = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def signed_area(curve):
    x, y = curve.T
    return float(x @ np.roll(y, -1) - np.roll(x, -1) @ y) / 2


@given(masks)
def test_filling_them_gives_the_mask(mask):
    assert np.array_equal(fill_even_odd(trace_outlines(mask), mask.shape), mask)


@given(masks)
def test_every_part_and_every_hole_has_one(mask):
    n_parts = ndimage.label(mask)[1]
    n_outside = ndimage.label(~np.pad(mask, 1), np.ones((3, 3)))[1]
    assert len(trace_outlines(mask)) == n_parts + n_outside - 1


@given(masks)
def test_corners_lie_between_pixels_and_sides_turn_at_right_angles(mask):
    for curve in trace_outlines(mask):
        assert np.array_equal(curve % 1, np.full(curve.shape, 0.5))
        sides = np.roll(curve, -1, axis=0) - curve
        assert ((sides == 0).sum(axis=1) == 1).all()
        assert (np.abs(sides[0::2, 0]) > 0).all()
        assert (np.abs(sides[1::2, 1]) > 0).all()


def test_area_and_centre_are_those_of_the_pixels():
    mask = np.hypot(*(np.indices((40, 30)) - np.array([17.3, 14.1])[:, None, None])) < 11
    (curve,) = trace_outlines(mask)
    assert abs(signed_area(curve)) == mask.sum()


@pytest.mark.parametrize("mask", [[[1, 0], [0, 1]], [[0, 1], [1, 0]]])
def test_pixels_that_touch_at_a_corner_are_apart(mask):
    curves = trace_outlines(np.array(mask, dtype=bool))
    assert [abs(signed_area(curve)) for curve in curves] == [1, 1]


def test_nothing_has_no_outline():
    assert trace_outlines(np.zeros((3, 4), dtype=bool)) == []
