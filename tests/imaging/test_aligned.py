"""Labels come onto the grid of their scan exactly, or not at all."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from medsegan.errors import DataError
from medsegan.geometry import Grid, reorientation_to
from medsegan.imaging import LabelVolume, align_label

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


@pytest.mark.parametrize(("distance_mm", "is_noted"), [(0.0, False), (0.007, False), (0.01, True), (0.39, True)])
def test_a_hair_beside_the_scan_is_taken(grid, array, distance_mm, is_noted):
    aligned, note = align_label(LabelVolume(array, moved(grid, distance_mm)), grid)
    assert aligned.grid is grid
    assert np.array_equal(aligned.array, array)
    assert (note is not None) == is_noted
    assert note is None or f"{distance_mm:g} mm" in note


@pytest.mark.parametrize("codes", ["LAS", "LPS", "ASR", "SPL", "IRP"])
def test_another_order_of_axes_is_turned_exactly(grid, array, codes):
    turn = reorientation_to(grid, codes)
    aligned, note = align_label(LabelVolume(turn.apply(array), turn.grid(grid)), grid)
    assert aligned.grid is grid
    assert np.array_equal(aligned.array, array)
    assert note is not None
    assert f"from {codes} to RAS" in note


def test_another_order_a_hair_beside_is_turned_and_said(grid, array):
    turn = reorientation_to(grid, "LPS")
    aligned, note = align_label(LabelVolume(turn.apply(array), moved(turn.grid(grid), 0.3)), grid)
    assert np.array_equal(aligned.array, array)
    assert note is not None
    assert "0.3 mm" in note


@pytest.mark.parametrize("codes", ["RAS", "LPS"])
@pytest.mark.parametrize("distance_mm", [0.5, 9.0])
def test_another_place_is_refused_with_its_distance(grid, array, codes, distance_mm):
    turn = reorientation_to(grid, codes)
    with pytest.raises(DataError, match=r"do not lie in the same place: .* mm"):
        align_label(LabelVolume(turn.apply(array), moved(turn.grid(grid), distance_mm)), grid)


def test_another_shape_is_refused(grid, array):
    with pytest.raises(DataError, match="5x6x7 and 5x6x6 voxels"):
        align_label(LabelVolume(array[..., :6], Grid((5, 6, 6), grid.world_from_voxel)), grid)
