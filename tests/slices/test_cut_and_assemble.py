"""The property of the issue: what is cut without resampling comes back exactly, in any grid, order and plane."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slice_scenes import PLANES, dice, ellipsoid, grids, one_hot

from medsegan.errors import DataError
from medsegan.geometry import Grid
from medsegan.slices import (
    assemble_labels,
    assemble_probabilities,
    assemble_scalar,
    cut_image,
    cut_label,
    frame_around,
    native_frame,
)

N_CLASSES = 5
SMALL_GRIDS = grids(st.integers(1, 13), st.floats(0.4, 8.0))


def random_labels(shape, seed):
    return np.random.default_rng(seed).integers(0, N_CLASSES, shape, dtype=np.uint8)


@settings(max_examples=300)
@given(SMALL_GRIDS, st.sampled_from(PLANES), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_native_cut_and_assembly_is_the_identity_on_labels(grid, plane, padding, seed):
    labels = random_labels(grid.shape, seed)
    frame = native_frame(grid, plane, max(grid.shape) + padding)
    slices = cut_label(labels, frame, N_CLASSES)
    back = assemble_labels(one_hot(slices, N_CLASSES), frame)
    assert back.dtype == np.uint8
    assert np.array_equal(back, labels)


@settings(max_examples=100)
@given(SMALL_GRIDS, st.sampled_from(PLANES), st.integers(0, 2**32 - 1))
def test_native_cut_and_assembly_is_the_identity_on_scalars(grid, plane, seed):
    values = np.random.default_rng(seed).normal(0, 500, grid.shape).astype(np.float32)
    frame = native_frame(grid, plane, max(grid.shape) + 1)
    assert np.array_equal(assemble_scalar(cut_image(values, frame, None), frame, np.nan), values)


@settings(max_examples=100)
@given(SMALL_GRIDS, st.sampled_from(PLANES), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_what_a_native_frame_crops_comes_back_as_background(grid, plane, size, seed):
    labels = random_labels(grid.shape, seed)
    frame = native_frame(grid, plane, size)
    back = assemble_labels(one_hot(cut_label(labels, frame, N_CLASSES), N_CLASSES), frame)
    seen = assemble_scalar(np.ones(frame.stack_shape, np.float32), frame, 0.0) > 0
    _, height, width = frame.reorientation.grid(grid).shape
    assert seen.sum() == frame.stack_shape[0] * min(size, height) * min(size, width)
    assert np.array_equal(back, np.where(seen, labels, 0))


@settings(max_examples=100)
@given(SMALL_GRIDS, st.sampled_from(PLANES), st.integers(1, 20))
def test_pixels_of_a_native_stack_lie_where_their_voxels_lie(grid, plane, size):
    """Each voxel carries its own world position through the cut."""
    frame = native_frame(grid, plane, size)
    positions = np.einsum("ij,jabc->iabc", grid.world_from_voxel[:3, :3], np.indices(grid.shape, dtype=float))
    positions += grid.world_from_voxel[:3, 3].reshape(3, 1, 1, 1)
    stack = frame.stack_grid
    pixels = np.einsum("ij,jabc->iabc", stack.world_from_voxel[:3, :3], np.indices(stack.shape, dtype=float))
    pixels += stack.world_from_voxel[:3, 3].reshape(3, 1, 1, 1)
    for axis in range(3):
        cut = cut_image(positions[axis].astype(np.float32), frame, np.nan)
        inside = ~np.isnan(cut)
        assert inside.any()
        assert np.allclose(cut[inside], pixels[axis][inside], atol=1e-3)


def view_of(grid, plane, voxels_per_pixel):
    """A frame of 256 pixels about the centre whose pixels are so many of the finest voxels of the plane wide."""
    native = native_frame(grid, plane, 1)
    pixel_mm = voxels_per_pixel * min(native.stack_grid.spacing_mm[1:])
    axial = native_frame(grid, "axial", 1).reorientation.grid(grid)
    half = [0.5 * 256 * pixel_mm / 1.04 / spacing for spacing in axial.spacing_mm]
    middle = [(n - 1) / 2 for n in axial.shape]
    return frame_around(grid, plane, 256, tuple((m - h, m + h) for m, h in zip(middle, half, strict=True)))


def two_organs(grid, voxels, seed):
    """Touching ellipsoids, each of more than so many voxels, in the middle of the grid."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(grid.shape, dtype=np.uint8)
    middle = (np.array(grid.shape) - 1) / 2
    for index, side in ((1, -0.9), (2, 0.9)):
        semiaxes = rng.uniform(0.8, 1.25, 3)
        semiaxes *= (voxels * 1.25 / (4 / 3 * np.pi * semiaxes.prod())) ** (1 / 3)
        centre = middle + rng.uniform(-0.5, 0.5, 3) + np.array([side * semiaxes[0], 0, 0])
        labels[ellipsoid(grid.shape, centre, semiaxes)] = index
    return labels


def dices_of_round_trip(grid, plane, voxels_per_pixel, voxels, seed):
    frame = view_of(grid, plane, voxels_per_pixel)
    assert max(frame.rows.step, frame.cols.step) == pytest.approx(voxels_per_pixel)
    labels = two_organs(grid, voxels, seed)
    back = assemble_labels(one_hot(cut_label(labels, frame, 3), 3), frame)
    for index in (1, 2):
        assert np.count_nonzero(labels == index) > voxels
        yield dice(back == index, labels == index)


@settings(max_examples=40)
@given(
    grids(st.integers(48, 54), st.floats(0.7, 3.0), max_angle=30.0),
    st.sampled_from(PLANES),
    st.floats(0.5, 1.05),
    st.integers(0, 2**32 - 1),
)
def test_organs_over_2000_voxels_survive_slices_of_256(grid, plane, voxels_per_pixel, seed):
    assert min(dices_of_round_trip(grid, plane, voxels_per_pixel, 2_000, seed)) >= 0.98


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(("voxels_per_pixel", "voxels"), [(1.3, 30_000), (2.0, 120_000)])
def test_where_pixels_are_coarser_only_larger_organs_survive(plane, voxels_per_pixel, voxels):
    """A hard label holds no finer edge than its pixel; this is the size at which that costs less than 0.02."""
    grid = Grid((140, 90, 90), np.diag([0.9, 0.9, 0.9, 1.0]))
    assert min(dices_of_round_trip(grid, plane, voxels_per_pixel, voxels, seed=3)) >= 0.98
    assert min(dices_of_round_trip(grid, plane, 2.5 * voxels_per_pixel, voxels, seed=3)) < 0.98


def test_soft_probabilities_keep_what_hard_labels_lose():
    """Assembling itself costs nearly nothing at two voxels a pixel, if a pixel can say "half"."""
    grid = Grid((60, 50, 50), np.diag([0.9, 0.9, 0.9, 1.0]))
    frame = view_of(grid, "axial", 2.0)
    labels = two_organs(grid, 2_000, seed=3)
    shares = [cut_image((labels == index).astype(np.float32), frame, float(index == 0)) for index in range(3)]
    back = assemble_labels(np.stack(shares, axis=1), frame)
    assert min(dice(back == index, labels == index) for index in (1, 2)) >= 0.97


def test_probabilities_of_all_classes_come_back_and_add_up_to_one():
    grid = Grid((9, 11, 5), np.diag([2.0, 2.0, 3.0, 1.0]))
    frame = view_of(grid, "axial", 0.05)
    raw = np.random.default_rng(0).uniform(0.01, 1, (5, 3, 256, 256)).astype(np.float32)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    volumes = np.stack(list(assemble_probabilities(probabilities, frame)))
    assert volumes.shape == (3, 9, 11, 5)
    assert np.allclose(volumes.sum(axis=0), 1.0, atol=1e-5)
    assert np.array_equal(volumes.argmax(axis=0), assemble_labels(probabilities, frame))


def test_outside_of_the_slices_is_background_however_sure_the_edge_is():
    grid = Grid((20, 20, 2), np.eye(4))
    frame = frame_around(grid, "axial", 8, ((-0.5, 1.5), (5.5, 13.5), (5.5, 13.5)))
    sure = np.zeros((2, 2, 8, 8), np.float32)
    sure[:, 1] = 1.0
    labels = assemble_labels(sure, frame)
    seen = assemble_scalar(np.ones((2, 8, 8), np.float32), frame, 0.0)
    assert np.array_equal(labels, seen.astype(np.uint8))
    assert labels.sum() == 2 * 8 * 8


def test_more_than_256_classes_need_two_bytes():
    grid = Grid((2, 3, 1), np.eye(4))
    frame = native_frame(grid, "axial", 3)
    probabilities = np.zeros((1, 300, 3, 3), np.float32)
    probabilities[:, 299] = 1.0
    labels = assemble_labels(probabilities, frame)
    assert labels.dtype == np.uint16
    assert (labels == 299).all()


def test_arrays_that_do_not_fit_are_refused():
    grid = Grid((4, 5, 6), np.eye(4))
    frame = native_frame(grid, "axial", 4)
    with pytest.raises(DataError, match=r"does not fit"):
        cut_image(np.zeros((4, 5, 5), np.float32), frame, 0.0)
    with pytest.raises(DataError, match="class indices from 0 to 2"):
        cut_label(np.full((4, 5, 6), 3, np.uint8), frame, 3)
    with pytest.raises(DataError, match="found -1"):
        cut_label(np.full((4, 5, 6), -1, np.int16), frame, 3)
    with pytest.raises(DataError, match="do not fit"):
        assemble_labels(np.zeros((6, 2, 4, 5), np.float32), frame)
    with pytest.raises(DataError, match="do not fit"):
        assemble_scalar(np.zeros((5, 4, 4), np.float32), frame, 0.0)


def test_assembling_takes_little_memory_beside_its_result():
    grid = Grid((256, 256, 64), np.eye(4))
    frame = frame_around(grid, "axial", 64, None)
    probabilities = np.random.default_rng(0).random((64, 6, 64, 64), dtype=np.float32)
    tracemalloc.start()
    labels = assemble_labels(probabilities, frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    whole_scores = labels.size * 4 * 6
    assert peak < 0.9 * whole_scores
