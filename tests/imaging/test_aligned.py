"""Labels come onto the grid of their scan: exactly, resampled within half a voxel, or not at all."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from medsegan.errors import DataError
from medsegan.geometry import Grid, reorientation_to
from medsegan.imaging import LabelVolume, align_label
from medsegan.voxels import resample3d

SHAPE = (5, 6, 7)


@pytest.fixture
def grid():
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", [10, -15, 20], degrees=True).as_matrix()
    affine[:3, :3] = turn * [0.8, 0.9, 2.5]
    affine[:3, 3] = [-31.5, 12.25, 900]
    return Grid(SHAPE, affine)


@pytest.fixture
def array():
    return np.random.default_rng(3).integers(0, 4, SHAPE, dtype=np.uint8)


def moved(grid, distance_mm):
    affine = np.array(grid.world_from_voxel)
    affine[0, 3] += distance_mm
    return Grid(grid.shape, affine)


@pytest.mark.parametrize("distance_mm", [0.0, 0.003, 0.007])
def test_below_a_hundredth_of_a_voxel_nothing_is_done_or_said(grid, array, distance_mm):
    aligned, note = align_label(LabelVolume(array, moved(grid, distance_mm)), grid)
    assert aligned.grid is grid
    assert np.array_equal(aligned.array, array)
    assert note is None


@pytest.fixture
def box():
    box = np.zeros((20, 18, 9), dtype=np.uint8)
    box[4:12, 5:11, 2:6] = 3
    return box


def centroid_mm(label):
    return (label.grid.world_from_voxel @ [*np.argwhere(label.array == 3).mean(axis=0), 1])[:3]


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SPL"])
@pytest.mark.parametrize("distance_mm", [0.01, 0.2, 0.39])
def test_below_half_a_voxel_labels_are_resampled_and_that_is_said(grid, box, codes, distance_mm):
    grid = Grid(box.shape, grid.world_from_voxel)
    turn = reorientation_to(grid, codes)
    stored = LabelVolume(turn.apply(box), moved(turn.grid(grid), distance_mm), ("before",), names={3: "liver"})
    aligned, note = align_label(stored, grid)
    assert aligned.grid is grid
    assert np.linalg.norm(centroid_mm(aligned) - centroid_mm(stored)) < 0.4
    assert note is not None
    assert "resampled" in note
    assert f"{distance_mm:g} mm" in note
    assert (aligned.notes, aligned.names) == (("before",), {3: "liver"})


def test_what_is_resampled_is_the_label_with_the_largest_share(grid, array):
    beside = moved(grid, 0.39)
    aligned, _ = align_label(LabelVolume(array, beside), grid)
    source_from_target = np.linalg.solve(beside.world_from_voxel, grid.world_from_voxel)
    assert np.array_equal(aligned.array, resample3d(array, source_from_target, SHAPE, "label_linear", 0))
    assert not np.array_equal(aligned.array, array)


def test_labels_elsewhere_are_resampled_only_when_asked(grid, box):
    affine = np.array(grid.world_from_voxel)
    affine[:3, :3] /= 2
    fine = Grid((40, 36, 18), affine)
    stored = LabelVolume(box.repeat(2, 0).repeat(2, 1).repeat(2, 2), fine)
    target = Grid(box.shape, grid.world_from_voxel)
    with pytest.raises(DataError, match="--resample-labels"):
        align_label(stored, target)
    aligned, note = align_label(stored, target, resample=True)
    assert aligned.grid is target
    assert np.linalg.norm(centroid_mm(aligned) - centroid_mm(stored)) < 0.5 * 2.5
    assert note is not None
    assert "as asked" in note
    with pytest.raises(DataError, match="nothing of the labels lies on the scan"):
        align_label(LabelVolume(stored.array, moved(fine, 900)), target, resample=True)


@pytest.mark.parametrize("codes", ["LAS", "LPS", "ASR", "SPL", "IRP"])
def test_another_order_of_axes_is_turned_exactly(grid, array, codes):
    turn = reorientation_to(grid, codes)
    aligned, note = align_label(LabelVolume(turn.apply(array), turn.grid(grid)), grid)
    assert aligned.grid is grid
    assert np.array_equal(aligned.array, array)
    assert note is not None
    assert f"from {codes} to RAS" in note


@pytest.mark.parametrize("codes", ["RAS", "LPS"])
@pytest.mark.parametrize("distance_mm", [0.5, 9.0])
def test_another_place_is_refused_with_its_distance(grid, array, codes, distance_mm):
    turn = reorientation_to(grid, codes)
    with pytest.raises(DataError, match=r"do not lie in the same place: .* mm"):
        align_label(LabelVolume(turn.apply(array), moved(turn.grid(grid), distance_mm)), grid)


def test_another_shape_is_refused(grid, array):
    with pytest.raises(DataError, match="5x6x7 and 5x6x6 voxels"):
        align_label(LabelVolume(array[..., :6], Grid((5, 6, 6), grid.world_from_voxel)), grid)
