"""Closed curves are filled by the even-odd rule, without a shift of half a pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_scenes import circle

from medsegan.imaging.polygons import fill_even_odd

SHAPE = (40, 30)


def distance(centre):
    x, y = np.indices(SHAPE)
    return np.hypot(x - centre[0], y - centre[1])


@given(st.floats(8, 30), st.floats(8, 22), st.floats(1, 12))
def test_a_circle_holds_the_centres_within_its_radius(x, y, radius):
    mask = fill_even_odd([circle((x, y), radius, 720)], SHAPE)
    far = distance((x, y))
    assert mask[far < radius * 0.9999 - 1e-6].all()
    assert not mask[far > radius * 1.0001 + 1e-6].any()


def test_the_centroid_and_area_of_a_circle_have_no_bias():
    offsets = np.random.default_rng(2).uniform(-0.5, 0.5, (200, 2))
    shifts, areas = [], []
    for offset in offsets:
        centre = np.array([19, 14]) + offset
        mask = fill_even_odd([circle(tuple(centre), 9.3)], SHAPE)
        shifts.append(np.argwhere(mask).mean(axis=0) - centre)
        areas.append(mask.sum() / (np.pi * 9.3**2))
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.01
    assert abs(np.mean(areas) - 1) < 0.005


def test_inner_curves_are_holes_and_curves_in_holes_are_filled():
    centre = (19.2, 14.1)
    mask = fill_even_odd([circle(centre, r) for r in (12, 8, 4)], SHAPE)
    far = distance(centre)
    assert np.array_equal(mask, (far < 4) | ((far > 8) & (far < 12)))


def test_a_keyhole_is_the_ring_it_means():
    centre = (19.2, 14.1)
    outer, inner = circle(centre, 12), circle(centre, 6)[::-1]
    keyhole = np.concatenate([outer, outer[:1], np.roll(inner, 1, axis=0), inner[-1:], outer[:1]])
    far = distance(centre)
    assert np.array_equal(fill_even_odd([keyhole], SHAPE), (far > 6) & (far < 12))


@pytest.mark.parametrize("border", [5.0, 5.5, 5.2])
def test_neighbours_share_no_pixel_and_leave_none(border):
    left = np.array([[-1.0, -1], [border, -1], [border, 99], [-1, 99]])
    right = np.array([[border, -1], [99, -1], [99, 99], [border, 99]])
    a, b = fill_even_odd([left], SHAPE), fill_even_odd([right], SHAPE)
    assert (a ^ b).all()


def test_whole_pixels_and_what_lies_outside():
    square = np.array([[2.5, 3.5], [6.5, 3.5], [6.5, 5.5], [2.5, 5.5]])
    expected = np.zeros(SHAPE, dtype=bool)
    expected[3:7, 4:6] = True
    assert np.array_equal(fill_even_odd([square], SHAPE), expected)
    assert not fill_even_odd([square + 100], SHAPE).any()
    assert not fill_even_odd([square - 100], SHAPE).any()
    assert fill_even_odd([(square - 4) * 100], SHAPE).all()
    assert not fill_even_odd([square[:2]], SHAPE).any()
