"""Volumes where other volumes lie: places in the patient decide, not indices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slice_scenes import ALL_ORDERS, grids, oblique_affine

from medsegan.errors import DataError
from medsegan.geometry import Grid, Sampling, resample_axis, resample_slices
from medsegan.geometry.onto import resample_onto

SMALL = grids(st.integers(2, 9), st.floats(0.4, 5.0))


@settings(max_examples=80)
@given(SMALL, st.sampled_from(ALL_ORDERS), st.sampled_from(["nearest", "linear", "cubic", "label_linear"]))
def test_the_same_voxels_in_another_order_of_axes_are_copied_exactly(grid, reorientation, order):
    labels = np.random.default_rng(0).integers(0, 200, grid.shape, dtype=np.int16)
    turned = resample_onto(labels, grid, reorientation.grid(grid), order, None)
    assert np.array_equal(turned, reorientation.apply(labels))


@settings(max_examples=40)
@given(SMALL, st.floats(-20, 20))
def test_world_positions_are_kept_by_linear_interpolation(grid, angle):
    """The value of each voxel is its own x, y or z in mm: resampled, it is that of the new voxel."""
    target = Grid((7, 6, 5), oblique_affine((0.9, 1.1, 1.3), (angle, 5.0, -3.0), grid.corners_mm.mean(axis=0)))
    places = np.einsum("ij,jabc->iabc", grid.world_from_voxel[:3, :3], np.indices(grid.shape, dtype=float))
    places += grid.world_from_voxel[:3, 3].reshape(3, 1, 1, 1)
    wanted = np.einsum("ij,jabc->iabc", target.world_from_voxel[:3, :3], np.indices(target.shape, dtype=float))
    wanted += target.world_from_voxel[:3, 3].reshape(3, 1, 1, 1)
    source_from_target = np.linalg.inv(grid.world_from_voxel) @ target.world_from_voxel
    indices = np.einsum("ij,jabc->iabc", source_from_target[:3, :3], np.indices(target.shape, dtype=float))
    indices += source_from_target[:3, 3].reshape(3, 1, 1, 1)
    between = ((indices >= 0) & (indices <= np.array(grid.shape).reshape(3, 1, 1, 1) - 1)).all(axis=0)
    for axis in range(3):
        ours = resample_onto(places[axis], grid, target, "linear", np.nan)
        np.testing.assert_allclose(ours[between], wanted[axis][between], atol=1e-6)


def test_an_array_that_is_not_on_its_grid_is_refused():
    grid = Grid((3, 4, 5), np.eye(4))
    with pytest.raises(DataError, match="does not lie on a grid"):
        resample_onto(np.zeros((3, 4, 6)), grid, grid, "linear", 0.0)


@settings(max_examples=150)
@given(
    st.tuples(*[st.integers(1, 9)] * 3),
    st.tuples(*[st.floats(-2.0, 8.0)] * 2),
    st.tuples(*[st.sampled_from([1.0, -1.0, 0.5]) | st.floats(0.1, 1.6) | st.floats(-1.6, -0.1)] * 2),
    st.sampled_from([None, -3.0]),
    st.sampled_from(["float32", "float64", "uint8"]),
)
def test_slices_are_what_both_axes_give_one_after_the_other(shape, starts, steps, fill, dtype):
    stack = (100 * np.random.default_rng(0).random(shape)).astype(dtype)
    rows, cols = (Sampling(start, step, 11) for start, step in zip(starts, steps, strict=True))
    expected = resample_axis(resample_axis(stack, 1, rows, fill), 2, cols, fill)
    ours = resample_slices(stack, rows, cols, fill)
    assert ours.dtype == expected.dtype
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    if rows.is_exact and cols.is_exact:
        assert np.array_equal(ours, expected)
