"""Out of the volume: the slices that the networks see."""

import numpy as np

from ..errors import DataError
from ..geometry import resample_slices
from ..shapes import Array, FloatArray, LabelArray, MaskArray
from .frame import Frame

_SLAB_VOXELS = 4_000_000


def cut_image(array: Array, frame: Frame, fill: float | None) -> FloatArray:
    """The slices of a scan, (S, H, W) float32, with anti-aliasing where pixels are coarser than voxels.

    Args:
        array: (I, J, K) intensities on `frame.source`.
        frame: where the slices lie.
        fill: the value of pixels outside of the volume; `None` continues its edge.

    Raises:
        DataError: the array does not have the shape of the frame's source.
    """
    view = _stack_view(array, frame)
    slices = np.empty(frame.stack_shape, dtype=np.float32)
    for slab in _slabs(view.shape):
        slices[slab] = resample_slices(_dense(view[slab]), frame.rows, frame.cols, fill)
    return slices


def cut_label(array: LabelArray, frame: Frame, n_classes: int) -> LabelArray:
    """The slices of a label volume, (S, H, W) uint8: each class is resampled like an image, the largest wins.

    Where nothing is resampled the labels are copied exactly. On a tie the lower class wins; outside of the volume
    is background.

    Args:
        array: (I, J, K) class indices on `frame.source`, 0 is background.
        frame: where the slices lie.
        n_classes: number of classes, background among them, at most 256.

    Raises:
        DataError: the array does not have the shape of the frame's source, or holds values that are no class.
    """
    view = _stack_view(array, frame)
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= n_classes or n_classes > 256:
        raise DataError(
            f"labels must be class indices from 0 to {n_classes - 1} (at most 255), found {low} to {high}; "
            f"map the file's values to classes first"
        )
    slices = np.zeros(frame.stack_shape, dtype=np.uint8)
    for slab in _slabs(view.shape):
        _cut_label_slab(_dense(view[slab]).astype(np.uint8, copy=False), frame, slices[slab])
    return slices


def _cut_label_slab(labels: LabelArray, frame: Frame, slices: LabelArray) -> None:
    """Fill the slices of one slab, holding the best share so far instead of all classes at once."""
    present = np.flatnonzero(np.bincount(labels.ravel()))
    if not present.any():
        return
    best = _share(labels == 0, frame, outside=1.0)
    for index in present[present > 0]:
        share = _share(labels == index, frame, outside=0.0)
        better = share > best
        slices[better] = index
        np.copyto(best, share, where=better)


def _share(mask: MaskArray, frame: Frame, outside: float) -> FloatArray:
    return resample_slices(mask.astype(np.float32), frame.rows, frame.cols, outside)


def _stack_view(array: Array, frame: Frame) -> Array:
    if array.shape != frame.source.shape:
        raise DataError(f"array of shape {array.shape} does not fit the frame's volume of {frame.source.shape}")
    return frame.reorientation.apply(array)


def _dense(slab: Array) -> Array:
    """The slab itself where its slices lie one behind the other in memory, else a copy in which they do."""
    strides = [abs(stride) for stride in slab.strides]
    return slab if strides[0] >= max(strides[1:]) else np.ascontiguousarray(slab)


def _slabs(shape: tuple[int, ...]) -> list[slice]:
    """Runs of slices that are small enough to be worked on beside the whole."""
    n_slices, height, width = shape
    step = max(1, _SLAB_VOXELS // (height * width))
    return [slice(first, min(first + step, n_slices)) for first in range(0, n_slices, step)]
