"""Values between the voxels: one axis at a time, the rows and columns of slices, or a volume on another grid."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ..errors import DataError
from ..shapes import Array, FloatArray
from ..voxels import resample3d
from .sampling import Sampling

_FACE_TOLERANCE = 1e-6
"""In voxels; a sample this far beyond the outer face is rounding, not outside."""


def resample_axis(array: Array, axis: int, sampling: Sampling, fill: float | None) -> FloatArray:
    """The array with one axis sampled anew: linear interpolation, with anti-aliasing where the axis gets coarser.

    The weights are a triangle of half width max(1, |step|), normalised to sum 1, so that a constant stays
    constant. Samples at a step of 1 or -1 on voxel centres are copied, bit by bit.

    Args:
        array: any shape; floats keep their type, everything else becomes float32.
        axis: the axis to sample.
        sampling: where the samples lie, in indices of that axis.
        fill: the value of samples beyond the outer faces of the array (index below -0.5 or above n - 0.5);
            `None` takes the value of the nearest edge. Within the faces the edge is always continued.

    Returns:
        A new array, `sampling.count` long along `axis`.

    Raises:
        DataError: the axis is empty or absent.
    """
    if not -array.ndim <= axis < array.ndim or array.shape[axis] == 0:
        raise DataError(f"cannot resample axis {axis} of an array of shape {array.shape}")
    values = array if array.dtype.kind == "f" else array.astype(np.float32)
    n_source = values.shape[axis]
    positions = sampling.positions
    if sampling.is_exact:
        nearest = np.clip(positions, 0, n_source - 1).astype(np.intp)
        result = np.take(values, nearest, axis=axis)
    else:
        result = _apply_weights(values, axis, _triangle_weights(positions, sampling.step, n_source))
    if fill is not None:
        outside = (positions < -0.5 - _FACE_TOLERANCE) | (positions > n_source - 0.5 + _FACE_TOLERANCE)
        if outside.any():
            np.moveaxis(result, axis, 0)[outside] = fill
    return result


def resample_slices(stack: Array, rows: Sampling, cols: Sampling, fill: float | None) -> FloatArray:
    """The slices with rows and columns sampled anew; what `resample_axis` along both gives, but for rounding.

    Where neither gets coarser there is nothing to smooth, and both are interpolated in one pass.

    Args:
        stack: (S, H, W); floats keep their type, everything else becomes float32.
        rows: where the rows of the result lie, in indices of axis 1.
        cols: where its columns lie, in indices of axis 2.
        fill: as in `resample_axis`.

    Raises:
        DataError: an axis is empty or absent.
    """
    if 0 in stack.shape[1:]:
        return resample_axis(resample_axis(stack, 1, rows, fill), 2, cols, fill)
    if max(abs(rows.step), abs(cols.step)) > 1.0:
        return _resample_each(stack, rows, cols, fill)
    source_from_target = np.diag([1.0, rows.step, cols.step, 1.0])
    source_from_target[1:3, 3] = rows.start, cols.start
    # In one memory order, since rounding follows it and slices must not.
    whole = np.ascontiguousarray(stack)
    return resample3d(whole, source_from_target, (len(stack), rows.count, cols.count), "linear", fill)


def _resample_each(stack: Array, rows: Sampling, cols: Sampling, fill: float | None) -> FloatArray:
    """Slice by slice, so that what is worked on stays in the processor's cache; of each only what is asked for."""
    kind = stack.dtype if stack.dtype.kind == "f" else np.dtype(np.float32)
    by_row, by_column = _line(rows, stack.shape[1], kind), _line(cols, stack.shape[2], kind)
    result = np.empty((len(stack), rows.count, cols.count), dtype=kind)
    part = np.empty((by_row.used.stop - by_row.used.start, by_column.used.stop - by_column.used.start), dtype=kind)
    for values, target in zip(stack, result, strict=True):
        np.copyto(part, values[by_row.used, by_column.used])
        target[...] = by_column.sample(by_row.sample(part, fill).T, fill).T
    return result


class _Line:
    """What `resample_axis` does along one axis, for many arrays.

    Attributes:
        used: the indices of the axis that count.
    """

    def __init__(self, sampling: Sampling, n_source: int, kind: np.dtype[Any]) -> None:
        positions = sampling.positions
        self._outside = (positions < -0.5 - _FACE_TOLERANCE) | (positions > n_source - 0.5 + _FACE_TOLERANCE)
        self._picked: npt.NDArray[np.intp] | None = None
        if sampling.is_exact:
            picked = np.clip(positions, 0, n_source - 1).astype(np.intp)
            self.used = slice(int(picked.min()), int(picked.max()) + 1)
            self._picked = picked - self.used.start
        else:
            weights = _triangle_weights(positions, sampling.step, n_source).astype(kind)
            self.used = slice(int(weights.indices.min()), int(weights.indices.max()) + 1)
            self._weights = weights[:, self.used]

    def sample(self, values: FloatArray, fill: float | None) -> FloatArray:
        """The values, (used, n), at the positions of the samples, (count, n)."""
        if self._picked is not None:
            result = np.take(values, self._picked, axis=0)
        else:
            result = np.asarray(self._weights @ np.ascontiguousarray(values))
        if fill is not None:
            result[self._outside] = fill
        return result


@lru_cache(maxsize=8)
def _line(sampling: Sampling, n_source: int, kind: np.dtype[Any]) -> _Line:
    """One for all slabs of a volume."""
    return _Line(sampling, n_source, kind)


def _triangle_weights(positions: npt.NDArray[np.float64], step: float, n_source: int) -> sparse.csr_array:
    """(count, n_source) weights; what lies beyond an edge counts for the edge voxel."""
    width = max(1.0, abs(step))
    centres = np.clip(positions, -width, n_source - 1 + width)  # further out every tap is the edge voxel
    first = np.floor(centres - width)
    taps = first[:, None] + np.arange(2 * math.ceil(width) + 2)
    weights = np.clip(1.0 - np.abs(taps - centres[:, None]) / width, 0.0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.broadcast_to(np.arange(len(positions))[:, None], taps.shape)
    columns = np.clip(taps, 0, n_source - 1).astype(np.intp)
    used = weights > 0
    table = sparse.coo_array((weights[used], (rows[used], columns[used])), shape=(len(positions), n_source))
    return table.tocsr()


def _apply_weights(values: FloatArray, axis: int, weights: sparse.csr_array) -> FloatArray:
    front = np.moveaxis(values, axis, 0)
    flat = np.ascontiguousarray(front).reshape(front.shape[0], -1)
    sampled = np.asarray(weights.astype(values.dtype) @ flat)
    return np.moveaxis(sampled.reshape(-1, *front.shape[1:]), 0, axis)
