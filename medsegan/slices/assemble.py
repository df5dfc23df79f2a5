"""Back into the volume: what was predicted on slices, on the grid of the scan, to the last voxel."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..geometry import Sampling, resample_slices
from ..shapes import Array, FloatArray, LabelArray
from .frame import Frame

_SLAB_VALUES = 500_000  # small enough for what is made of them to stay in cache
_FACE_TOLERANCE = 1e-6


def assemble_labels(probabilities: FloatArray, frame: Frame) -> LabelArray:
    """The most probable class of every voxel, (I, J, K) on `frame.source`; background outside of the slices.

    Probabilities are resampled, never labels, a few slices and one class at a time, so that beside the result only
    one slab is in memory. On a tie the lower class wins.

    Args:
        probabilities: (S, K, H, W) float32, class 0 is background; any scores that may be averaged will do.
        frame: where the slices lie.

    Returns:
        Class indices; uint8 up to 256 classes, else uint16.

    Raises:
        DataError: the array does not have the shape of the frame's stack.
    """
    _require_stack(probabilities.shape[:1] + probabilities.shape[2:], frame)
    n_classes = probabilities.shape[1]
    labels = _filled(frame, 0, np.uint8 if n_classes <= 256 else np.uint16)
    view = frame.reorientation.apply(labels)
    window, rows, cols = _covered(frame)
    for slab in _slabs(len(view), rows, cols):
        part = _most_probable(np.asarray(probabilities[slab], dtype=np.float32), rows, cols)
        view[slab, window[0], window[1]] = part
    return labels


def assemble_scalar(values: FloatArray, frame: Frame, fill: float) -> FloatArray:
    """A value for every voxel, (I, J, K) float32 on `frame.source`.

    Args:
        values: (S, H, W) float32, such as the residual of each pixel.
        frame: where the slices lie.
        fill: the value outside of the slices.

    Raises:
        DataError: the array does not have the shape of the frame's stack.
    """
    _require_stack(values.shape, frame)
    volume = _filled(frame, fill, np.float32)
    view = frame.reorientation.apply(volume)
    window, rows, cols = _covered(frame)
    for slab in _slabs(len(view), rows, cols):
        view[slab, window[0], window[1]] = _upsample(np.asarray(values[slab], dtype=np.float32), rows, cols)
    return volume


def assemble_probabilities(probabilities: FloatArray, frame: Frame) -> Iterator[FloatArray]:
    """The probability of one class after the other, each (I, J, K) float32 on `frame.source`.

    Outside of the slices the first class, background, has probability 1.

    Args:
        probabilities: (S, K, H, W) float32, class 0 is background.
        frame: where the slices lie.

    Raises:
        DataError: the array does not have the shape of the frame's stack.
    """
    _require_stack(probabilities.shape[:1] + probabilities.shape[2:], frame)
    for index in range(probabilities.shape[1]):
        yield assemble_scalar(probabilities[:, index], frame, fill=1.0 if index == 0 else 0.0)


def _filled(frame: Frame, value: float, kind: npt.DTypeLike) -> Array:
    """A volume (I, J, K) on `frame.source` of one value, in memory slice by slice: so it is written in one go."""
    axes = frame.reorientation.axes
    return np.full([frame.source.shape[axis] for axis in axes], value, dtype=kind).transpose(np.argsort(axes))


def _most_probable(probabilities: FloatArray, rows: Sampling, cols: Sampling) -> LabelArray:
    """Class indices of a slab (s, K, H, W) at the given rows and columns, holding only the best score so far."""
    n_classes = probabilities.shape[1]
    best = _upsample(probabilities[:, 0], rows, cols)
    labels = np.zeros(best.shape, dtype=np.uint8 if n_classes <= 256 else np.uint16)
    for index in range(1, n_classes):
        # Interpolation weights are not negative: a class that is nowhere above background cannot win in between.
        if not (probabilities[:, index] > probabilities[:, 0]).any():
            continue
        score = _upsample(probabilities[:, index], rows, cols)
        better = score > best
        labels[better] = index
        np.copyto(best, score, where=better)
    return labels


def _upsample(slab: FloatArray, rows: Sampling, cols: Sampling) -> FloatArray:
    return resample_slices(slab, rows, cols, None)


def _covered(frame: Frame) -> tuple[tuple[slice, slice], Sampling, Sampling]:
    """The rows and columns of the volume whose centres lie in the field of view, and where in a slice they lie."""
    _, height, width = frame.reorientation.grid(frame.source).shape
    row_window, rows = _covered_axis(frame.rows, height)
    col_window, cols = _covered_axis(frame.cols, width)
    return (row_window, col_window), rows, cols


def _covered_axis(sampling: Sampling, n_source: int) -> tuple[slice, Sampling]:
    inverse = sampling.inverse(n_source)
    low, high = -0.5 - _FACE_TOLERANCE, sampling.count - 0.5 + _FACE_TOLERANCE
    inside = np.flatnonzero((inverse.positions >= low) & (inverse.positions <= high))
    if not len(inside):
        raise DataError(f"the slices lie beside their volume: no voxel of an axis of {n_source} is in {sampling}")
    first, count = int(inside[0]), len(inside)
    return slice(first, first + count), Sampling(inverse.start + inverse.step * first, inverse.step, count)


def _slabs(n_slices: int, rows: Sampling, cols: Sampling) -> list[slice]:
    step = max(1, _SLAB_VALUES // (rows.count * cols.count))
    return [slice(first, min(first + step, n_slices)) for first in range(0, n_slices, step)]


def _require_stack(shape: tuple[int, ...], frame: Frame) -> None:
    if shape != frame.stack_shape:
        raise DataError(f"slices of shape {shape} do not fit a frame whose stack is {frame.stack_shape} (S, H, W)")
