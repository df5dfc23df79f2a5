"""Agreement of grids: its limits in voxels, its words."""

import numpy as np
import pytest

from medsegan.geometry import Grid, compare_grids, reorientation_to

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
