"""Sheared grids: how far they are from right angles, and the straight grid over the same place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from medsegan.geometry import Grid, axis_codes, shear_of, straight_grid


def sheared(shear, euler=(10, -15, 20), spacing=(0.8, 0.9, 2.5), shape=(20, 18, 9), along=1, of=2):
    """A grid one of whose axes leans towards another one: by `shear` mm for each mm."""
    lean = np.eye(3)
    lean[along, of] = shear
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", euler, degrees=True).as_matrix() @ lean @ np.diag(spacing)
    affine[:3, 3] = [-31.5, 12.25, 90]
    return Grid(shape, affine)


def is_straight(grid):
    directions = grid.world_from_voxel[:3, :3] / np.array(grid.spacing_mm)
    return np.allclose(directions.T @ directions, np.eye(3), atol=1e-9)


@pytest.mark.parametrize("degrees", [0.0, 0.5, 3.0, 15.0, 30.0])
def test_the_angle_is_that_of_the_gantry(degrees):
    assert shear_of(sheared(np.tan(np.radians(degrees)))).degrees == pytest.approx(degrees, abs=1e-5)


def test_gantry_tilt_keeps_rows_and_columns_and_the_distance_of_slices():
    grid = sheared(np.tan(np.radians(15)))
    straight = straight_grid(grid)
    assert is_straight(straight)
    assert straight.spacing_mm == pytest.approx((0.8, 0.9, 2.5))
    assert straight.shape == (20, 18 + int(8 * 2.5 * np.tan(np.radians(15)) / 0.9), 9)
    np.testing.assert_allclose(straight.world_from_voxel[:3, :2], grid.world_from_voxel[:3, :2], atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    shear=st.floats(-0.6, 0.6),
    euler=st.tuples(*[st.floats(-180, 180)] * 3),
    spacing=st.tuples(*[st.floats(0.3, 6)] * 3),
    shape=st.tuples(*[st.integers(1, 40)] * 3),
    axes=st.permutations(range(3)),
)
def test_a_straight_grid_reaches_over_all_voxels(shear, euler, spacing, shape, axes):
    grid = sheared(shear, euler, spacing, tuple(shape), axes[0], axes[1])
    straight = straight_grid(grid)
    assert is_straight(straight)
    assert axis_codes(straight) == axis_codes(grid) or abs(shear) > 0.05
    corners = np.linalg.solve(straight.world_from_voxel[:3, :3], (grid.corners_mm - straight.corners_mm[0]).T)
    assert corners.min() > -0.5 - 1e-6
    assert (corners.max(axis=1) < np.array(straight.shape) - 0.5 + 1e-6).all()
    assert np.linalg.det(straight.world_from_voxel[:3, :3]) * np.linalg.det(grid.world_from_voxel[:3, :3]) > 0


@settings(max_examples=40, deadline=None)
@given(shear=st.floats(-0.05, 0.05), shape=st.tuples(*[st.integers(2, 30)] * 3), seed=st.integers(0, 99))
def test_distances_that_take_the_axes_for_perpendicular_are_off_by_at_most_twice_the_distance(shear, shape, seed):
    """Why a grid less than half a voxel from a straight one may be kept: surface distances go by its spacing."""
    grid = sheared(shear, shape=tuple(shape))
    rng = np.random.default_rng(seed)
    steps = rng.uniform(-1, 1, (50, 3)) * (np.array(shape) - 1)
    true = np.linalg.norm(steps @ grid.world_from_voxel[:3, :3].T, axis=1)
    taken = np.linalg.norm(steps * grid.spacing_mm, axis=1)
    assert np.abs(true - taken).max() <= 2 * shear_of(grid).distance_mm + 1e-9
