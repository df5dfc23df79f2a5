"""The areas of surfels: what can be worked out by hand, symmetries, and the tables of surface-distance."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surface_distance import lookup_tables

from medsegan.voxels import surface_distances
from medsegan.voxels.surfels import surfel_areas_mm2

lengths = st.floats(0.05, 20)
CORNERS = [(i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1)]


def code_of(inside):
    """The code of those corners for which `inside(i, j, k)` is true."""
    return sum(1 << (7 - n) for n, corner in enumerate(CORNERS) if inside(*corner))


def test_no_surface_has_no_area():
    areas = surfel_areas_mm2((0.8, 0.8, 5.0))
    assert areas.shape == (256,)
    assert (areas == 0).nonzero()[0].tolist() == [0, 255]


def test_planes_are_faces_of_a_voxel():
    areas = surfel_areas_mm2((0.8, 1.1, 5.0))
    assert areas[code_of(lambda i, j, k: i == 0)] == pytest.approx(1.1 * 5.0)
    assert areas[code_of(lambda i, j, k: j == 1)] == pytest.approx(0.8 * 5.0)
    assert areas[code_of(lambda i, j, k: k == 0)] == pytest.approx(0.8 * 1.1)


def test_corners_edges_and_diagonals():
    areas = surfel_areas_mm2((1, 1, 1))
    corner, edge = np.sqrt(3) / 8, np.sqrt(0.5)
    assert areas[code_of(lambda i, j, k: i + j + k == 0)] == pytest.approx(corner)
    assert areas[code_of(lambda i, j, k: i + j == 0)] == pytest.approx(edge)
    assert areas[code_of(lambda i, j, k: i + j + k in (0, 3))] == pytest.approx(2 * corner)
    assert areas[code_of(lambda i, j, k: (i + j + k) % 2)] == pytest.approx(4 * corner)
    assert areas[code_of(lambda i, j, k: i + j + k <= 1)] == pytest.approx(np.sqrt(27) / 4)  # a regular hexagon


@given(st.tuples(lengths, lengths, lengths))
@settings(max_examples=30)
def test_equals_the_tables_of_surface_distance(spacing):
    """A black box: of all 256 codes, the ambiguous ones included."""
    theirs = np.ravel(lookup_tables.create_table_neighbour_code_to_surface_area(spacing))
    np.testing.assert_allclose(surfel_areas_mm2(spacing), theirs, rtol=1e-12)


def test_the_kernels_derive_the_same_areas():
    """Eight voxels, filled in all ways."""
    spacing = (0.7, 1.3, 2.9)
    areas = surfel_areas_mm2(spacing)
    for code in range(1, 255):
        mask = np.array([code >> (7 - n) & 1 for n in range(8)], dtype=bool).reshape(2, 2, 2)
        whole = np.pad(mask, 1)
        found = surface_distances(whole, whole, [1], spacing)[0].surfels
        places = [
            int("".join(str(int(bit)) for bit in whole[i : i + 2, j : j + 2, k : k + 2].ravel()), 2)
            for i, j, k in np.ndindex(3, 3, 3)
        ]
        expected = [areas[place] for place in places if 0 < place < 255]
        np.testing.assert_allclose(found.prediction_mm2, expected, rtol=1e-12)


@given(st.tuples(lengths, lengths, lengths))
@settings(max_examples=30)
def test_inside_out_is_the_same_surface(spacing):
    areas = surfel_areas_mm2(spacing)
    np.testing.assert_allclose(areas, areas[::-1], rtol=1e-12)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_axes_does_not_matter(order):
    spacing = np.array([0.7, 1.3, 2.9])
    areas, turned = surfel_areas_mm2(spacing), surfel_areas_mm2(spacing[list(order)])
    for code in range(256):
        mask = np.array([code >> (7 - n) & 1 for n in range(8)]).reshape(2, 2, 2).transpose(order).ravel()
        assert turned[sum(int(bit) << (7 - n) for n, bit in enumerate(mask))] == pytest.approx(areas[code])
