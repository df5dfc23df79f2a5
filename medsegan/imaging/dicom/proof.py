"""Proof that labels come back from the file they were written to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...errors import DataError
from ...geometry import Grid
from ...shapes import Array, LabelArray
from ..volume import LabelVolume
from .segments import Segment

_MOST_VOXELS_OFF = 0.5


def require_same_voxels(array: LabelArray, written: LabelArray, segments: Sequence[Segment], path: Path) -> None:
    """Refuse a file of which a voxel has another class than was meant.

    Args:
        array: what was to be written, with the values of the labels.
        written: what was read back on the same grid, with the numbers of the segments.
        segments: which number stands for which value.
        path: of the file, for messages.

    Raises:
        DataError: a voxel differs.
    """
    for segment in segments:
        n_off = int(np.count_nonzero((array == segment.value) != (written == segment.number)))
        if n_off:
            raise DataError(
                f"{path}: {n_off} voxels of {segment.name} do not come back from the file; it was not kept"
            )


def require_same_place(label: LabelVolume, written: LabelVolume, segments: Sequence[Segment], path: Path) -> None:
    """Refuse a file whose classes lie elsewhere in the patient, each volume taken by its own affine alone.

    Args:
        label: what was to be written.
        written: what was read back.
        segments: which number stands for which value.
        path: of the file, for messages.

    Raises:
        DataError: a centre of mass is off by half a voxel or more, or the number of voxels differs.
    """
    limit_mm = _MOST_VOXELS_OFF * min(label.grid.spacing_mm)
    for segment in segments:
        meant, n_meant = _centre_mm(label.array == segment.value, label.grid)
        found, n_found = _centre_mm(written.array == segment.number, written.grid)
        off_mm = float(np.linalg.norm(meant - found))
        if n_meant != n_found or not off_mm < limit_mm:
            raise DataError(
                f"{path}: {segment.name} comes back with {n_found} of {n_meant} voxels, {off_mm:.3g} mm from its "
                f"place (less than {limit_mm:.3g} mm are accepted); the file was not kept"
            )


def _centre_mm(mask: Array, grid: Grid) -> tuple[npt.NDArray[np.float64], int]:
    """Centre of mass in RAS+ mm, not a number if there is none, and the number of voxels."""
    counts = [mask.sum(axis=tuple(other for other in range(3) if other != axis)) for axis in range(3)]
    n_voxels = int(counts[0].sum())
    if n_voxels == 0:
        return np.full(3, np.nan), 0
    index = [float(count @ np.arange(len(count))) / n_voxels for count in counts]
    return np.asarray((grid.world_from_voxel @ [*index, 1.0])[:3]), n_voxels
