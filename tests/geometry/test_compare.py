"""Agreement of grids: its limits in voxels, its words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from medsegan.geometry import Grid, axis_codes, compare_grids, reorientation_to

AFFINE = np.diag([0.8, 0.8, 2.5, 1.0])


def shifted(mm: float, shape: tuple[int, int, int] = (10, 12, 8)) -> Grid:
    affine = AFFINE.copy()
    affine[0, 3] = mm
    return Grid(shape, affine)


@pytest.mark.parametrize(
    ("shift_mm", "kind"),
    [(0.0, "same"), (0.0079, "same"), (0.0081, "close"), (0.39, "close"), (0.41, "different"), (8.0, "different")],
)
def test_kinds_at_their_limits(shift_mm, kind):
    agreement = compare_grids(shifted(0.0), shifted(shift_mm))
    assert agreement.kind == kind
    assert agreement.distance_mm == pytest.approx(shift_mm)
    assert agreement.distance_voxels == pytest.approx(shift_mm / 0.8)


def test_a_scale_that_only_shows_at_the_far_corner_is_found():
    affine = AFFINE.copy()
    affine[2, 2] = 2.75
    agreement = compare_grids(shifted(0.0), Grid((10, 12, 8), affine))
    assert agreement.kind == "different"
    assert agreement.distance_mm == pytest.approx(7 * 0.25)
    assert "1.75 mm" in agreement.sentence


def test_other_shapes_are_different_and_named():
    agreement = compare_grids(shifted(0.0), shifted(0.0, (10, 12, 9)))
    assert agreement.kind == "different"
    assert "10x12x8" in agreement.sentence
    assert "10x12x9" in agreement.sentence


def test_the_same_voxels_in_another_order_are_named_as_such():
    grid = shifted(0.0)
    other = reorientation_to(grid, "LPS").grid(grid)
    agreement = compare_grids(grid, other)
    assert agreement.kind == "different"
    assert "RAS and LPS" in agreement.sentence


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    ("part", "kind"), [(0.0099, "same"), (0.0101, "close"), (0.499, "close"), (0.501, "different")]
)
def test_a_voxel_is_as_long_as_the_spacing_along_the_shift(axis, part, kind):
    """Across slices of 5 mm half a voxel is 2.5 mm: only from there on a voxel is nearer to another one."""
    linear = Rotation.from_euler("xyz", [12, -8, 25], degrees=True).as_matrix() * [0.7, 0.9, 5.0]
    affine = np.eye(4)
    affine[:3, :3] = linear
    grid = Grid((9, 8, 7), affine)
    affine = affine.copy()
    affine[:3, 3] = part * linear[:, axis]
    agreement = compare_grids(grid, Grid(grid.shape, affine))
    assert agreement.kind == kind
    assert agreement.distance_voxels == pytest.approx(part)
    assert agreement.distance_mm == pytest.approx(part * grid.spacing_mm[axis])


@given(
    euler=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.3, 8)] * 3),
    shift=st.tuples(*[st.floats(-0.45, 0.45)] * 3),
    shape=st.tuples(*[st.integers(1, 9)] * 3),
)
def test_a_close_grid_has_no_voxel_nearer_to_another_one(euler, spacing, shift, shape):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", euler, degrees=True).as_matrix() * spacing
    grid = Grid(tuple(shape), affine)
    affine = affine.copy()
    affine[:3, 3] = affine[:3, :3] @ shift
    agreement = compare_grids(grid, Grid(grid.shape, affine))
    assert agreement.distance_voxels == pytest.approx(np.linalg.norm(shift), abs=1e-9)
    if agreement.kind != "different":
        assert np.abs(shift).max() < 0.5
    assert (agreement.kind == "different") == (np.linalg.norm(shift) >= 0.5)


@given(
    codes=st.sampled_from([a + b + c for a in "LR" for b in "AP" for c in "IS"]),
    order=st.permutations(range(3)),
    euler=st.tuples(*[st.floats(-20, 20)] * 3),
    spacing=st.tuples(*[st.floats(0.3, 8)] * 3),
    shape=st.tuples(*[st.integers(1, 9)] * 3),
)
def test_orders_of_axes_and_back_are_exact(codes, order, euler, spacing, shape):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", euler, degrees=True).as_matrix() * spacing
    affine[:3, 3] = [-31.5, 12.25, 900]
    grid = Grid(tuple(shape), affine)
    there = reorientation_to(grid, "".join(codes[axis] for axis in order))
    turned = there.grid(grid)
    back = reorientation_to(turned, axis_codes(grid))
    assert grid.corner_distance_voxels(back.grid(turned)) < 1e-9
    array = np.arange(np.prod(shape)).reshape(shape)
    assert np.array_equal(back.apply(there.apply(array)), array)
    assert np.array_equal(there.invert(there.apply(array)), array)
