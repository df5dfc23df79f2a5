"""Proof that labels come back from the file they were written to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ...errors import DataError
from ...shapes import LabelArray
from ..volume import LabelVolume
from .segments import Segment

_MOST_VOXELS_OFF = 0.5
_NOWHERE = (np.full(3, np.nan), 0)
"""Centre and number of voxels of a class that is not there."""


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
    values: LabelArray = np.zeros(int(written.max()) + 1, dtype=np.uint16)
    for segment in segments:
        if segment.number < len(values):
            values[segment.number] = segment.value
    n_off = int(np.count_nonzero(values[written] != array))
    if n_off:
        raise DataError(f"{path}: {n_off} labelled voxels do not come back from the file; it was not kept")


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
    all_meant, all_found = _centres_mm(label), _centres_mm(written)
    for segment in segments:
        meant, n_meant = all_meant.get(segment.value, _NOWHERE)
        found, n_found = all_found.get(segment.number, _NOWHERE)
        off_mm = float(np.linalg.norm(meant - found))
        if n_meant != n_found or not off_mm < limit_mm:
            raise DataError(
                f"{path}: {segment.name} comes back with {n_found} of {n_meant} voxels, {off_mm:.3g} mm from its "
                f"place (less than {limit_mm:.3g} mm are accepted); the file was not kept"
            )


def _centres_mm(label: LabelVolume) -> dict[int, tuple[npt.NDArray[np.float64], int]]:
    """Value -> centre of mass in RAS+ mm and number of voxels."""
    found = {}
    for value, box in enumerate(ndimage.find_objects(label.array), start=1):
        if box is not None:
            index = np.argwhere(label.array[box] == value)
            first = [part.start for part in box]
            centre = label.grid.world_from_voxel @ [*(index.mean(axis=0) + first), 1.0]
            found[value] = np.asarray(centre[:3]), len(index)
    return found
