"""What a file stores, turned into the few kinds of array that medsegan works on."""

from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from ..shapes import Array, LabelArray

MAX_NAN_FRACTION = 0.001
"""A scan with more voxels than this that are no number is refused."""
_MAX_ROUNDING = 1e-3
_MAX_LABEL = 65535
_SOFT_MASK_VALUES = 200
_PICTURE_CLASSES = 64
_BAND = 1 << 22


def require_three_axes(sizes: tuple[int, ...], dtype: np.dtype[Any], path: Path) -> None:
    """Refuse what is no single volume of plain numbers, before its voxels are read.

    Args:
        sizes: length of each axis; those behind the third one may be 1.
        dtype: of a voxel.
        path: the file, for messages.

    Raises:
        DataError: there are more or fewer than three axes, one is empty, or the voxels are no plain numbers.
    """
    if dtype.names is not None or dtype.kind not in "iufb":
        raise DataError(
            f"{path}: the voxels are {_kind_of(dtype)}, not plain numbers; colour, vector and complex images "
            "are no scans: export one channel as grey values"
        )
    if len(sizes) < 3 or any(size != 1 for size in sizes[3:]):
        raise DataError(
            f"{path}: the image has {len(sizes)} axes {sizes}, expected 3; split a series of volumes "
            "into one file each, of NIfTI for example with `medsegan convert --contrast N`"
        )
    if 0 in sizes:
        raise DataError(f"{path}: the image is empty, its shape is {sizes}")


def _kind_of(dtype: np.dtype[Any]) -> str:
    if dtype.names is not None:
        return f"colours ({', '.join(dtype.names)})"
    if dtype.itemsize == 0:
        return "of a type that nobody can read here"
    return "complex numbers" if dtype.kind == "c" else str(dtype)


def as_intensities(array: Array, path: Path) -> tuple[Array, tuple[str, ...]]:
    """(I, J, K) int16 where the values are stored as integers that fit, else float32; and what was repaired.

    Raises:
        DataError: too many voxels are not finite.
    """
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what is beyond 32 bits counts as infinite
            return _without_nan(array.astype(np.float32, copy=False), path)
    if array.dtype in (np.int16, np.int8, np.uint8):
        return array.astype(np.int16, copy=False), ()
    if array.dtype.kind == "b" or (array.min() >= -32768 and array.max() <= 32767):
        return array.astype(np.int16, copy=False), ()
    return array.astype(np.float32), ()


def as_labels(array: Array, path: Path) -> LabelArray:
    """(I, J, K) labels in the smallest of uint8 and uint16 that holds them.

    Args:
        array: integers, or floats within 0.001 of integers.
        path: the file, for messages.

    Raises:
        DataError: values between the integers, below 0, above 65535, not finite, or so many that the file
            is an image or a soft mask.
    """
    if array.dtype.kind == "f":
        _require_integers(array, path)
        array = np.rint(array)
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > _MAX_LABEL:
        raise DataError(
            f"{path}: label values lie between {low:g} and {high:g}, expected 0 to {_MAX_LABEL}; is this an image?"
        )
    labels: LabelArray = array.astype(np.uint8) if high <= 255 else array.astype(np.uint16)
    n_values = int(np.count_nonzero(np.bincount(labels.ravel())))
    if n_values >= _SOFT_MASK_VALUES and n_values > 0.9 * (high + 1):
        raise DataError(
            f"{path}: {n_values} label values between 0 and {high:g} without a gap look like an image or a soft "
            "mask, not like classes; threshold a soft mask first"
        )
    return labels


def require_few_values(array: Array, path: Path) -> None:
    """Refuse a picture with more grey values than anybody has classes: it is a scan, or a mask saved with losses.

    Raises:
        DataError: there are more than 64 values.
    """
    n_values = len(np.unique(array))
    if n_values > _PICTURE_CLASSES:
        raise DataError(
            f"{path}: {n_values} grey values from {array.min():g} to {array.max():g} look like an image or a soft "
            f"mask, not like classes (at most {_PICTURE_CLASSES}); threshold a soft mask first"
        )


def _require_integers(array: Array, path: Path) -> None:
    """Checked in bands, so that a big file needs no second copy in memory."""
    flat = array.reshape(-1)
    for first in range(0, flat.size, _BAND):
        band = flat[first : first + _BAND]
        finite = np.isfinite(band)
        if not finite.all():
            raise DataError(f"{path}: {int((~finite).sum())} label voxels are NaN or infinite, expected integers")
        off = np.abs(band - np.rint(band))
        if off.max(initial=0.0) > _MAX_ROUNDING:
            raise DataError(
                f"{path}: label values such as {float(band[off.argmax()]):g} are no integers; is this an image, "
                "a probability map or a resampled mask? Give the original label file or threshold it"
            )


def _without_nan(array: Array, path: Path) -> tuple[Array, tuple[str, ...]]:
    bad = ~np.isfinite(array)
    n_bad = int(np.count_nonzero(bad))
    if n_bad == 0:
        return array, ()
    if n_bad > MAX_NAN_FRACTION * array.size:
        raise DataError(
            f"{path}: {n_bad} of {array.size} voxels ({n_bad / array.size:.2%}) are NaN or infinite, more than "
            f"{MAX_NAN_FRACTION:.1%}; fill them before"
        )
    low = array[~bad].min()
    array[bad] = low
    return array, (f"{n_bad} voxels were NaN or infinite; they now hold the minimum {float(low):g}",)
