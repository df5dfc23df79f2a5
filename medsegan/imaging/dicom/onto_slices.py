"""Labels of a straightened series on the slices as they were acquired."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import DataError
from ...geometry import Grid
from ...shapes import LabelArray
from ..lps import RAS_FROM_LPS
from ..volume import LabelVolume
from .place import Placement


class OnSlices(NamedTuple):
    """Labels on slices.

    Args:
        array: (columns, rows, n) on the slices as they were acquired.
        even: the same on all planes of the series, also those where no slice was acquired.
        grid: of `even`; slanted where the gantry was tilted.
        kept: where they were on the straight grid, without what is not in `array`.
        notes: what was moved or left out.
    """

    array: LabelArray
    even: LabelArray
    grid: Grid
    kept: LabelVolume
    notes: tuple[str, ...]


def labels_on_slices(array: LabelArray, placement: Placement, where: str) -> OnSlices:
    """The labels of the straight grid on the pixels of the acquired slices, which lie in the same planes.

    The pixels of a slice lie beside those of the grid by the same part of a pixel throughout, so that the labels
    of a plane are moved as a whole, by at most half a pixel; none changes its shape.

    Args:
        array: (columns, rows, slices) on the grid of a series that was tilted or unevenly spaced.
        placement: of the series.
        where: the series, for messages.

    Raises:
        DataError: a slice lies between two planes of the grid.
    """
    starts = _starts(placement, where)
    rows, columns = placement.slices[0].matrix
    even = np.zeros((columns, rows, array.shape[2]), dtype=array.dtype)
    kept = np.zeros_like(array)
    for start in np.rint(starts).astype(int):
        low = np.maximum(start[:2], 0)
        high = np.minimum(start[:2] + np.array([columns, rows]), array.shape[:2])
        plane = np.s_[low[0] : high[0], low[1] : high[1], start[2]]
        own = np.s_[low[0] - start[0] : high[0] - start[0], low[1] - start[1] : high[1] - start[1], start[2]]
        even[own] = kept[plane] = array[plane]
    planes = np.rint(starts[:, 2]).astype(int)
    most_off = float(np.abs(starts - np.rint(starts))[:, :2].max())
    notes = [
        "the series was straightened for reading; the labels are written on the slices as they were acquired, "
        f"moved by up to {most_off:.2f} pixels"
    ]
    n_labeled, n_kept = int(np.count_nonzero(array)), int(np.count_nonzero(kept))
    if n_kept < n_labeled:
        notes.append(
            f"{n_labeled - n_kept} of {n_labeled} labelled voxels lie where no slice was acquired and are left out"
        )
    slanted = _slanted_grid(placement, even.shape[2])
    return OnSlices(even[:, :, planes], even, slanted, LabelVolume(kept, placement.grid), tuple(notes))


def _starts(placement: Placement, where: str) -> npt.NDArray[np.float64]:
    """(n, 3) where on the straight grid the first pixel of each slice lies, from the slices' own positions."""
    voxel_from_lps = np.linalg.inv(placement.grid.world_from_voxel) @ RAS_FROM_LPS
    positions = np.array([header.position for header in placement.slices])
    starts = positions @ voxel_from_lps[:3, :3].T + voxel_from_lps[:3, 3]
    between = float(np.abs(starts[:, 2] - np.rint(starts[:, 2])).max())
    if placement.straightening is not None and between > placement.straightening.tolerance:
        raise DataError(
            f"{where}: a slice lies {between:.2f} slices off the even grid that the labels lie on; a segmentation "
            "has the pixels of the slices, so write a structure set (rtstruct) or NIfTI"
        )
    return starts


def _slanted_grid(placement: Placement, n_planes: int) -> Grid:
    """The grid of the slices as they were acquired, at an even step from the first to the last."""
    first, last = placement.slices[0], placement.slices[-1]
    rows, columns = first.matrix
    affine = np.array(RAS_FROM_LPS @ placement.grid.world_from_voxel)
    affine[:3, 2] = (np.array(last.position) - np.array(first.position)) / (n_planes - 1)
    affine[:3, 3] = first.position
    return Grid((columns, rows, n_planes), RAS_FROM_LPS @ affine)
