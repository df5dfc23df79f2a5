"""Masks with softened edges, as graphics programs and networks write them: 0 to 255."""

import numpy as np

from ..shapes import Array, LabelArray

THRESHOLD = 127
"""Values above it belong to the mask: more than one half of 255."""
_FEWEST_VALUES = 4
_NEAR_END = 16
_SHARE_AT_ENDS = 0.8


def threshold_soft_mask(array: Array) -> LabelArray | None:
    """1 where a soft mask is above 127, else 0; `None` if the values are no soft mask.

    A soft mask holds whole values from 0 to 255, both ends among them, at least four different ones, and four
    fifths of its pixels within 16 of an end: edges lie between, a picture does not.

    Args:
        array: any shape, numbers.
    """
    if array.dtype.kind not in "iuf" or array.size == 0 or array.min() != 0 or array.max() != 255:
        return None
    whole = array.astype(np.uint8)
    if array.dtype.kind == "f" and not np.array_equal(whole, array):
        return None
    counts = np.bincount(whole.ravel(), minlength=256)
    values = np.flatnonzero(counts)
    at_ends = int(counts[: _NEAR_END + 1].sum() + counts[255 - _NEAR_END :].sum())
    is_between = bool(((values > _NEAR_END) & (values < 255 - _NEAR_END)).any())
    if len(values) < _FEWEST_VALUES or not is_between or at_ends < _SHARE_AT_ENDS * array.size:
        return None
    # Few values with many voxels each are classes: an edge has one pixel here, one there.
    if len(values) < 2 * _FEWEST_VALUES and _is_sparse(counts, values):
        return None
    return (whole > THRESHOLD).astype(np.uint8)


def _is_sparse(counts: Array, values: Array) -> bool:
    inner = values[(values > 0) & (values < 255)]
    return bool(counts[inner].max() * 4 > counts[255])
