"""Exact Euclidean distances from every voxel of a mask to the nearest voxel outside of it."""

import ctypes
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..shapes import Array
from . import library
from .layout import as_contiguous

_Distances = npt.NDArray[np.float32]
_Indices = npt.NDArray[np.int64]


def distance_transform(mask: Array, spacing_mm: Sequence[float], threads: int | None = None) -> _Distances:
    """Distance in mm from the centre of every voxel to the centre of the nearest voxel that is not in the mask.

    The values of `scipy.ndimage.distance_transform_edt(mask, sampling=spacing_mm)`, rounded to float32: 0 outside
    of the mask. Where a mask has no voxel outside of it they are infinite (scipy measures to a place that does not
    exist).

    Args:
        mask: (..., H, W) or (..., I, J, K) for two or three spacings; axes in front of these are a batch. Bool; of
            other types, what is not 0 is in the mask. Any order in memory; the result has the same.
        spacing_mm: of the last two or three axes, positive.
        threads: None = all that this process may use; the result is the same.

    Raises:
        ValueError: spacings and axes do not fit, or a spacing is not positive and finite.

    Source: Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
    """
    require_spacing(mask.ndim, spacing_mm)
    axes = list(range(mask.ndim))
    if mask.ndim == len(spacing_mm) and not mask.flags.c_contiguous:
        (mask,), axes = as_contiguous(mask)
        spacing_mm = [spacing_mm[axis] for axis in axes]
    mask = _as_bytes(mask)
    distances = np.empty(mask.shape, np.float32)
    if not _compiled(mask, spacing_mm, threads, distances, None):
        _plain(mask, spacing_mm, distances, None)
    return distances.transpose(np.argsort(axes))


def nearest_outside(
    mask: Array, spacing_mm: Sequence[float], threads: int | None = None
) -> tuple[_Distances, _Indices]:
    """The distances of `distance_transform`, and which voxel each of them leads to.

    Args:
        mask: as in `distance_transform`.
        spacing_mm: as in `distance_transform`.
        threads: None = all that this process may use; the result is the same.

    Returns:
        The distances, and for every voxel the index of the nearest voxel outside of the mask, in C order within
        its own item of the batch; -1 where there is none. Of several at the same distance the compiled kernel
        takes the smallest index (where spacings are not multiples of the smallest, rounding decides between sums
        that differ by their order only); without it, scipy takes any of them.

    Raises:
        ValueError: spacings and axes do not fit, or a spacing is not positive and finite.
    """
    require_spacing(mask.ndim, spacing_mm)
    mask = _as_bytes(mask)
    distances, indices = np.empty(mask.shape, np.float32), np.empty(mask.shape, np.int64)
    if not _compiled(mask, spacing_mm, threads, distances, indices):
        _plain(mask, spacing_mm, distances, indices)
    return distances, indices


def require_spacing(n_axes: int, spacing_mm: Sequence[float]) -> None:
    """Nothing, if these spacings can be those of a mask with so many axes.

    Raises:
        ValueError: they cannot.
    """
    if len(spacing_mm) not in (2, 3) or len(spacing_mm) > n_axes:
        raise ValueError(
            f"a mask of {n_axes} axes got {len(spacing_mm)} spacings, expected one for each of 2 or 3 axes"
        )
    if not all(0 < spacing < math.inf for spacing in spacing_mm):
        raise ValueError(f"spacings must be positive and finite, got {tuple(spacing_mm)} mm")


def _as_bytes(mask: Array) -> npt.NDArray[np.uint8]:
    """A contiguous array that is not 0 where the mask is; without a copy where that is possible."""
    truth = mask if mask.dtype in (np.bool_, np.uint8, np.int8) else mask != 0
    return np.ascontiguousarray(truth).view(np.uint8)


def _compiled(
    mask: npt.NDArray[np.uint8],
    spacing_mm: Sequence[float],
    threads: int | None,
    distances: _Distances,
    indices: _Indices | None,
) -> bool:
    """Whether the compiled kernel filled the arrays."""
    n_batch, missing = mask.ndim - len(spacing_mm), 3 - len(spacing_mm)
    return library.call(
        "distance_transform",
        mask.ctypes,
        (ctypes.c_int64 * 3)(*[1] * missing, *mask.shape[n_batch:]),
        (ctypes.c_double * 3)(*[1.0] * missing, *spacing_mm),
        ctypes.c_int64(math.prod(mask.shape[:n_batch])),
        ctypes.c_int(threads or library.default_threads()),
        distances.ctypes,
        None if indices is None else indices.ctypes,
    )


def _plain(
    mask: npt.NDArray[np.uint8], spacing_mm: Sequence[float], distances: _Distances, indices: _Indices | None
) -> None:
    """Fills the arrays by scipy."""
    from scipy import ndimage

    n_batch = mask.ndim - len(spacing_mm)
    for item in np.ndindex(mask.shape[:n_batch]):
        if mask[item].all():
            distances[item] = np.inf
            if indices is not None:
                indices[item] = -1
        elif indices is None:
            distances[item] = ndimage.distance_transform_edt(mask[item], sampling=spacing_mm)
        else:
            found = ndimage.distance_transform_edt(mask[item], sampling=spacing_mm, return_indices=True)
            distances[item] = found[0]
            indices[item] = np.ravel_multi_index(tuple(found[1]), mask.shape[n_batch:])
