"""Scans and labels with sheared axes, as gantry tilt leaves them, on straight grids."""

from pathlib import Path

from ..errors import DataError
from ..geometry import Grid, shear_of, straight_grid
from ..geometry.onto import resample_onto
from ..shapes import Array

_SILENT_VOXELS = 0.01
_KEPT_VOXELS = 0.5
_MOST_DEGREES = 40.0
"""No gantry tilts beyond 30 degrees; what is further off is damage, and would be mostly corners when straight."""


def straighten(
    array: Array, grid: Grid, path: Path, *, is_label: bool = False
) -> tuple[Array, Grid, tuple[str, ...]]:
    """The voxels on a grid with right angles, that grid, and notes.

    Where the nearest straight grid is less than half a voxel away at every corner, the grid is kept as the file
    gives it: every voxel stays where it is, masks get the very header of their scan, and what takes the axes for
    perpendicular is off by less than a voxel across the whole scan. Beyond, the voxels are resampled.

    Args:
        array: (I, J, K) intensities, or labels.
        grid: where they lie.
        path: the file, for messages.
        is_label: whether labels are resampled instead of intensities, which are filled up with their minimum.

    Raises:
        DataError: the axes are so far from right angles that the header must be damaged.
    """
    shear = shear_of(grid)
    off = f"the voxel axes are {shear.degrees:.2f} degrees off a right angle"
    if shear.distance_voxels < _SILENT_VOXELS:
        return array, grid, ()
    if shear.distance_voxels < _KEPT_VOXELS:
        return array, grid, (f"{off}, at most {shear.distance_mm:.2g} mm at a corner; kept as they are",)
    if shear.degrees > _MOST_DEGREES:
        raise DataError(
            f"{path}: {off} (sheared), at most {_MOST_DEGREES:g} are straightened; the header is damaged, or "
            "resample it to a straight grid first"
        )
    target = straight_grid(grid)
    if is_label:
        straight = resample_onto(array, grid, target, "label_linear", 0)
    else:
        straight = resample_onto(array, grid, target, "linear", float(array.min()))
        straight = straight.round().astype(array.dtype) if array.dtype.kind in "iu" else straight
    shape = " x ".join(str(n) for n in target.shape)
    return straight, target, (f"{off} (sheared, as by gantry tilt); resampled onto a straight grid of {shape}",)
