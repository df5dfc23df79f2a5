"""Whether two grids are the same place in the patient."""

import math
from dataclasses import dataclass
from typing import Literal

from .grid import Grid
from .orientation import axis_codes, reorientation_to

SAME_VOXELS = 0.01
"""Corners closer than this part of a voxel: rounding of the file format, silent."""
CLOSE_VOXELS = 0.5
"""Corners closer than this part of a voxel: worth a note; from there on a voxel may be nearer to a neighbour."""


@dataclass(frozen=True)
class GridAgreement:
    """How well two grids agree.

    Args:
        kind: "same" below 0.01 voxel, "close" below 0.5 voxel, else "different"; other shapes are "different".
        distance_mm: the largest distance between equal corners (centres of the eight corner voxels).
        distance_voxels: the same in voxel indices of the reference grid, so that a distance across thick slices
            counts by their thickness; infinite for other shapes.
        sentence: the finding in words with its numbers, for a note or an error.
    """

    kind: Literal["same", "close", "different"]
    distance_mm: float
    distance_voxels: float
    sentence: str


def compare_grids(reference: Grid, other: Grid) -> GridAgreement:
    """How far the eight corners of `other` lie from those of `reference`.

    Nothing is ever repaired here: a header copied over another moves organs.
    """
    distance_mm = reference.corner_distance_mm(other)
    if reference.shape != other.shape:
        sentence = (
            f"the grids have {_times(reference)} and {_times(other)} voxels and their corners lie up to "
            f"{distance_mm:.3g} mm apart{_other_order(reference, other)}"
        )
        return GridAgreement("different", distance_mm, math.inf, sentence)
    distance_voxels = reference.corner_distance_voxels(other)
    sentence = f"the corners of the grids lie {distance_mm:.3g} mm ({distance_voxels:.3g} voxels) apart"
    if distance_voxels < SAME_VOXELS:
        return GridAgreement("same", distance_mm, distance_voxels, sentence)
    if distance_voxels < CLOSE_VOXELS:
        return GridAgreement("close", distance_mm, distance_voxels, sentence)
    sentence += _other_order(reference, other)
    return GridAgreement("different", distance_mm, distance_voxels, sentence)


def _other_order(reference: Grid, other: Grid) -> str:
    """A hint when the two grids hold the same voxels in another order of axes."""
    codes, other_codes = axis_codes(reference), axis_codes(other)
    if codes == other_codes:
        return ""
    reordered = reorientation_to(other, codes).grid(other)
    if reference.corner_distance_voxels(reordered) >= SAME_VOXELS:
        return ""
    return f"; they are the same voxels in another order of axes ({codes} and {other_codes})"


def _times(grid: Grid) -> str:
    return "x".join(str(n) for n in grid.shape)
