"""How far the axes of a grid are from right angles, and the straight grid that holds the same place."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..shapes import Shape3
from .grid import Grid

_ROUNDING = 1e-6
"""In voxels; an extent this little short of a whole number is that number."""


@dataclass(frozen=True)
class Shear:
    """How far a grid is from one with right angles.

    Args:
        degrees: largest deviation of two axes from a right angle.
        distance_voxels: how far the corners lie from those of the nearest straight grid, in voxels of that grid.
        distance_mm: the same in mm. Any two voxels are as far apart on both grids, but for twice this.
    """

    degrees: float
    distance_voxels: float
    distance_mm: float


def shear_of(grid: Grid) -> Shear:
    """How far a grid is from the straight one that is nearest to it, by polar decomposition, about their centre.

    Source: Higham, "Computing the polar decomposition, with applications", SIAM J. Sci. Stat. Comput. 1986.
    """
    directions = grid.world_from_voxel[:3, :3] / np.array(grid.spacing_mm)
    cosine = float(np.abs(np.triu(directions.T @ directions, 1)).max())
    linear = _orthonormal(directions) * np.array(grid.spacing_mm)
    centre_index = (np.array(grid.shape) - 1) / 2
    affine = np.eye(4)
    affine[:3, :3] = linear
    affine[:3, 3] = grid.world_from_voxel[:3] @ [*centre_index, 1.0] - linear @ centre_index
    nearest = Grid(grid.shape, affine)
    return Shear(
        degrees=float(np.degrees(np.arcsin(min(cosine, 1.0)))),
        distance_voxels=nearest.corner_distance_voxels(grid),
        distance_mm=nearest.corner_distance_mm(grid),
    )


def straight_grid(grid: Grid) -> Grid:
    """The grid with right angles that reaches over all voxel centres of a sheared one.

    The two axes that are nearest to a right angle stay as they are, within rounding, and so do their spacings: of
    a scan with gantry tilt these are the rows and columns. Along the third axis slices keep their planes and get
    the distance between these.
    """
    columns = grid.world_from_voxel[:3, :3]
    spacing_mm = np.array(grid.spacing_mm)
    directions = columns / spacing_mm
    slice_axis = _slice_axis(directions)
    in_plane = [axis for axis in range(3) if axis != slice_axis]
    axes = np.empty((3, 3))
    axes[:, in_plane] = _orthonormal(directions[:, in_plane])
    normal = np.cross(axes[:, in_plane[0]], axes[:, in_plane[1]])
    axes[:, slice_axis] = normal if normal @ directions[:, slice_axis] > 0 else -normal
    spacing_mm[slice_axis] = abs(normal @ columns[:, slice_axis])
    linear = axes * spacing_mm
    reached = np.linalg.solve(linear, (grid.corners_mm - grid.world_from_voxel[:3, 3]).T)
    low, extent = reached.min(axis=1), np.ptp(reached, axis=1)
    counts = np.floor(extent + _ROUNDING).astype(int) + 1
    start = low + (extent - (counts - 1)) / 2
    affine = np.eye(4)
    affine[:3, :3] = linear
    affine[:3, 3] = grid.world_from_voxel[:3, 3] + linear @ start
    return Grid(_as_shape(counts), affine)


def _slice_axis(directions: npt.NDArray[np.float64]) -> int:
    """The axis whose two others are nearest to a right angle; the last one where that leaves a choice."""
    cosines = [abs(float(directions[:, (axis + 1) % 3] @ directions[:, (axis + 2) % 3])) for axis in range(3)]
    return max(range(3), key=lambda axis: (-round(cosines[axis], 6), axis))


def _orthonormal(directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The orthonormal columns nearest to those of a matrix, mirrored or not as they are."""
    left, _, right = np.linalg.svd(directions, full_matrices=False)
    return np.asarray(left @ right)


def _as_shape(counts: npt.NDArray[np.int_]) -> Shape3:
    first, second, third = (int(count) for count in counts)
    return first, second, third
