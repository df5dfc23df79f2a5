"""Slices that are sheared or unevenly spaced, resampled onto a straight and even grid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...geometry import Sampling, resample_slices
from ...shapes import Array

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Straightening:
    """Where the slices as they were acquired lie on the grid that they are resampled onto.

    Args:
        shifts: (n, 2) column and row of the grid where the first pixel of each slice lies.
        heights: (n,) index of the grid's slice at which each of them lies, rising; the first is 0.
        shape: columns, rows and slices of the grid.
        tolerance: in slices of the grid; a slice as near as this to one of the grid is copied.
    """

    shifts: Vector
    heights: Vector
    shape: tuple[int, int, int]
    tolerance: float

    @property
    def between(self) -> tuple[int, ...]:
        """Indices of the grid's slices that lie between the acquired ones, so that they are interpolated."""
        return tuple(index for index in range(self.shape[2]) if self._nearest(index)[1] > self.tolerance)

    def apply(self, array: Array, fill: float) -> Array:
        """The slices on the grid: linear within each slice, then linear between slices.

        Args:
            array: (columns, rows, n) as acquired.
            fill: value where a slice does not reach; between two of them, where either does not.

        Returns:
            (shape) in the type of the array; integers are rounded.
        """
        planes: dict[int, Array] = {}
        result = np.empty(self.shape, dtype=array.dtype)
        for index in range(self.shape[2]):
            nearest, distance = self._nearest(index)
            if distance <= self.tolerance:
                values = self._moved(array, nearest, planes)
            else:
                above = int(np.searchsorted(self.heights, index))
                low, high = self.heights[above - 1], self.heights[above]
                weight = np.float32((index - low) / (high - low))
                first = self._moved(array, above - 1, planes)
                values = first + weight * (self._moved(array, above, planes) - first)
            values = np.where(np.isnan(values), np.float32(fill), values)
            result[:, :, index] = np.rint(values) if array.dtype.kind in "iu" else values
        return result

    def _nearest(self, index: int) -> tuple[int, float]:
        distances = np.abs(self.heights - index)
        nearest = int(distances.argmin())
        return nearest, float(distances[nearest])

    def _moved(self, array: Array, number: int, planes: dict[int, Array]) -> Array:
        """One acquired slice, moved to its place, NaN where it does not reach; only the last two are kept."""
        if number not in planes:
            while len(planes) > 1:
                planes.pop(next(iter(planes)))
            column, row = (
                Sampling(-float(shift), 1.0, n) for shift, n in zip(self.shifts[number], self.shape, strict=False)
            )
            planes[number] = resample_slices(array[None, :, :, number].astype(np.float32), column, row, np.nan)[0]
        return planes[number]


def straight_shifts(shifts: Vector, matrix: Sequence[int]) -> tuple[Vector, Vector, tuple[int, int]]:
    """Where sheared slices lie on a plane that holds them all.

    Args:
        shifts: (n, 2) of each slice against the first, in columns and rows.
        matrix: columns and rows of a slice.

    Returns:
        The shifts on the new plane, (2,) columns and rows from the first pixel of the first slice to that of the
        new plane, and the columns and rows of the new plane. Its outermost pixels lie within those of the slices,
        less than half a pixel from them.
    """
    extent = np.array(matrix) - 1 + shifts.max(axis=0) - shifts.min(axis=0)
    counts = np.floor(extent + 1e-6).astype(int) + 1
    start = shifts.min(axis=0) + (extent - (counts - 1)) / 2
    return shifts - start, start, (int(counts[0]), int(counts[1]))
