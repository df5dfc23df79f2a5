"""In which plane a scan was acquired."""

from ..geometry import Grid, reorientation_to
from ..slices import PLANE_CODES, Plane

THICK_SLICE = 2.0
"""A voxel this many times as long as wide shows in which plane a scan was acquired."""


def acquired_plane(grid: Grid) -> Plane | None:
    """The plane of a scan's own slices; None where its voxels are not clearly longest along one axis."""
    longest = max(range(3), key=lambda axis: grid.spacing_mm[axis])
    others = [length for axis, length in enumerate(grid.spacing_mm) if axis != longest]
    if grid.spacing_mm[longest] < THICK_SLICE * max(others):
        return None
    return next(plane for plane, codes in PLANE_CODES.items() if reorientation_to(grid, codes).axes[0] == longest)
