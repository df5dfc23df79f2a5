"""Which contours of a region lie in one plane, and which plane stands for which slice."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ...errors import DataError

_MAX_TILT_VOXELS = 0.5
_SAME_PLANE_VOXELS = 0.05
_ON_SLICE_VOXELS = 0.05


@dataclass(frozen=True)
class ContourPlane:
    """The contours of one plane, and its height in voxels along the axis of the slices."""

    height: float
    curves: tuple[npt.NDArray[np.float64], ...]


def planes_of(curves: Sequence[npt.NDArray[np.float64]], axis: int, where: str) -> list[ContourPlane]:
    """The planes of a region from below.

    Args:
        curves: (n, 3) in voxels.
        axis: of the slices.
        where: the file and the region, for messages.

    Raises:
        DataError: a contour leaves its slice by half a voxel or more.
    """
    tilt = max(float(np.ptp(curve[:, axis])) for curve in curves)
    if tilt >= _MAX_TILT_VOXELS:
        raise DataError(
            f"{where}: a contour is tilted against the slices of the scan, over {tilt:.2f} slices; less than "
            f"{_MAX_TILT_VOXELS:g} is accepted. Pair it with the scan it was drawn on"
        )
    ordered = sorted(curves, key=lambda curve: float(curve[:, axis].mean()))
    groups: list[list[npt.NDArray[np.float64]]] = []
    last = -np.inf
    for curve in ordered:
        height = float(curve[:, axis].mean())
        if height - last > _SAME_PLANE_VOXELS:
            groups.append([])
            last = height
        groups[-1].append(curve)
    return [ContourPlane(float(np.mean([c[:, axis].mean() for c in group])), tuple(group)) for group in groups]


def slice_planes(heights: Sequence[float], n_slices: int) -> tuple[dict[int, int], list[str]]:
    """Index of the slice -> index of the plane that stands for it, and notes.

    Args:
        heights: of the planes in slices, ascending.
        n_slices: of the scan.
    """
    chosen: dict[int, int] = {}
    n_outside, n_dropped = 0, 0
    for which, height in enumerate(heights):
        # Half way between two slices a plane belongs to the lower one, so that each stands for one slice alone.
        index = int(np.ceil(height - 0.5))
        if not 0 <= index < n_slices:
            n_outside += 1
            continue
        if index not in chosen:
            chosen[index] = which
            continue
        n_dropped += 1
        if abs(height - index) < abs(heights[chosen[index]] - index):
            chosen[index] = which
    notes = []
    furthest = max((abs(heights[which] - index) for index, which in chosen.items()), default=0.0)
    if furthest > _ON_SLICE_VOXELS:
        notes.append(f"contours lie up to {furthest:.2f} slices off the slices; each counts for the nearest one")
    if n_dropped:
        notes.append(f"{n_dropped} planes of contours lie nearer to each other than the slices; the nearest count")
    if n_outside:
        notes.append(f"{n_outside} planes of contours lie outside of the scan and are left out")
    indices = sorted(chosen)
    n_gaps = sum(after - before - 1 for before, after in pairwise(indices))
    if n_gaps:
        notes.append(f"{n_gaps} slices between its contours have none and are left without this label")
    return chosen, notes
