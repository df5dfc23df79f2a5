"""A block of labels on the grid of its scan: copied where the lattices agree, resampled where they almost do."""

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..geometry import Grid
from ..geometry.compare import CLOSE_VOXELS, SAME_VOXELS
from ..geometry.onto import resample_onto
from ..shapes import LabelArray

_SAME_PLANE_VOXELS = 0.05
"""Nearer planes are the same."""


def place_block(
    array: LabelArray, block: Grid, grid: Grid, where: str, resample: bool = False
) -> tuple[LabelArray, tuple[str, ...]]:
    """The labels on `grid`, background where the block does not reach; and notes.

    A block is any box of the grid's own lattice of voxels, in any order of axes: DICOM segmentations leave out
    what is empty. What lies beside the scan is cut off, with a note.

    Args:
        array: (I, J, K) labels.
        block: where they lie.
        grid: of the scan.
        where: the file, for messages.
        resample: whether a block that lies elsewhere is resampled instead of refused. One that has the planes and
            pixels of the grid, and is slanted as by a tilted gantry, is resampled in any case.

    Raises:
        DataError: a corner of the block lies half a voxel or more off the lattice and `resample` is not
            set; or nothing of the block lies on the grid.
    """
    whole, off_mm = whole_steps(block, grid)
    off_voxels = off_mm / min(grid.spacing_mm)
    fits = whole is not None and off_voxels < CLOSE_VOXELS
    is_slanted = not fits and _shares_planes(block, grid)
    if not (fits or is_slanted or resample):
        spacings = [" x ".join(f"{mm:.3g}" for mm in one.spacing_mm) for one in (grid, block)]
        raise DataError(
            f"{where}: the labels do not lie on the voxels of the scan: corners up to {off_mm:.3g} mm "
            f"({off_voxels:.3g} voxels) off, voxels of {spacings[0]} mm and {spacings[1]} mm; resample the labels "
            "to the grid of their scan (--resample-labels), or pair them correctly"
        )
    n_labeled = int(np.count_nonzero(array))
    notes: tuple[str, ...] = ()
    if is_slanted:
        notes = ("labels on tilted slices are straightened as their scan is: moved within each slice",)
        placed = resample_onto(array, block, grid, "label_linear", 0)
    elif whole is None or not fits or off_voxels >= SAME_VOXELS:
        notes = (
            f"labels are resampled onto the scan's grid: they lie {off_mm:.3g} mm ({off_voxels:.3g} voxels) off",
        )
        placed = resample_onto(array, block, grid, "label_linear", 0)
    else:
        exact = Grid(block.shape, grid.world_from_voxel @ whole)
        placed = resample_onto(array, exact, grid, "nearest", 0)
        n_lost = n_labeled - int(np.count_nonzero(placed))
        if n_lost:
            notes = (f"{n_lost} of {n_labeled} labelled voxels lie outside of the scan and are left out",)
    if n_labeled and not placed.any():
        raise DataError(f"{where}: none of its {n_labeled} labelled voxels lies on the scan; pair them correctly")
    return placed, notes


def whole_steps(block: Grid, grid: Grid) -> tuple[npt.NDArray[np.float64] | None, float]:
    """(4, 4) from voxels of a block to voxels of a grid in whole numbers, and by how many mm a corner is off them.

    Args:
        block: any box of the grid's lattice of voxels, in any order and direction of axes. Along an axis of one
            voxel nothing lies, so that its length is taken as that of the grid.
        grid: whose voxels are counted.

    Returns:
        `None` in place of the numbers if axes of the block are none of the grid.
    """
    grid_from_block = np.linalg.solve(grid.world_from_voxel, block.world_from_voxel)
    for axis, n in enumerate(block.shape):
        if n == 1:
            grid_from_block[:3, axis] /= np.abs(grid_from_block[:3, axis]).max()
    whole = np.rint(grid_from_block)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in block.shape], [1], indexing="ij")).reshape(4, -1)
    off_mm = float(np.linalg.norm(grid.world_from_voxel @ (grid_from_block - whole) @ corners, axis=0).max())
    steps = np.abs(whole[:3, :3])
    is_turned = bool((steps.sum(axis=0) == 1).all() and (steps.sum(axis=1) == 1).all())
    return whole if is_turned else None, off_mm


def _shares_planes(block: Grid, grid: Grid) -> bool:
    """Whether a block has the grid's planes and pixels, each plane moved by any distance within itself."""
    steps = np.linalg.inv(grid.world_from_voxel) @ block.world_from_voxel
    off = steps - np.rint(steps)
    off[:2, 2:] = 0
    whole = np.rint(steps[:3, :3])
    is_turned = abs(round(np.linalg.det(whole[:2, :2]))) == 1
    furthest = np.abs(off[:3]) @ [*(n - 1 for n in block.shape), 1]
    return bool(is_turned and not whole[2, :2].any() and whole[2, 2] != 0 and furthest.max() < _SAME_PLANE_VOXELS)
