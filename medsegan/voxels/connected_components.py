"""Connected components of label volumes and pictures, and the largest of each class."""

import ctypes
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..shapes import Array, LabelArray
from . import library
from .layout import as_contiguous

NEIGHBOURS: dict[int, dict[int, int]] = {2: {4: 1, 8: 2}, 3: {6: 1, 18: 2, 26: 3}}
"""By number of dimensions: neighbours of a voxel, and the number of axes along which they may differ from it."""


def connected_components(
    labels: Array, connectivity: int, threads: int | None = None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], LabelArray]:
    """The component of every voxel, the size of each component, and its class.

    A component is made of voxels of one value, not 0, each reached from the next through neighbours. Components
    are numbered by their first voxel in raster order (the last axis fastest) of the array as it is indexed,
    whatever its order in memory: for a mask, the numbers of `scipy.ndimage.label`.

    Args:
        labels: (I, J, K) or (H, W), integers or bool; 0 is background.
        connectivity: 6, 18 or 26 neighbours in three dimensions; 4 or 8 in two.
        threads: None = all that this process may use; the result is the same.

    Returns:
        (I, J, K) or (H, W) int32, 0 for background, else 1 to n; (n,) int64 voxels; (n,) values of `labels`.

    Raises:
        DataError: the labels are no integers, or have not two or three axes.
        ValueError: no such connectivity.
    """
    _require(labels, connectivity)
    if labels.size == 0:
        return np.zeros(labels.shape, np.int32), np.zeros(0, np.int64), np.zeros(0, labels.dtype)
    memory = _Memory.of(labels)
    components = np.zeros(memory.array.shape, np.int32)
    table, count = ctypes.POINTER(ctypes.c_int64)(), ctypes.c_int64()
    asked = memory.arguments(connectivity, threads)
    outputs = (components.ctypes, ctypes.byref(table), ctypes.byref(count))
    if not library.call("connected_components", *asked, *outputs):
        return _plain(labels, connectivity)
    if count.value == 0:
        return memory.restore(components), np.zeros(0, np.int64), np.zeros(0, labels.dtype)
    try:
        sizes, offsets = np.ctypeslib.as_array(table, (count.value, 2)).T.copy()
    finally:
        library.call("release", table)
    return memory.restore(components), sizes, memory.array.reshape(-1)[offsets]


def keep_largest(
    labels: Array, connectivity: int, classes: Collection[int] | None = None, threads: int | None = None
) -> LabelArray:
    """The labels without the voxels that lie outside of the largest component of their class: those become 0.

    Of components of one size the first in raster order stays, as in `connected_components`.

    Args:
        labels: (I, J, K) or (H, W), integers or bool; 0 is background.
        connectivity: 6, 18 or 26 neighbours in three dimensions; 4 or 8 in two.
        classes: values that are reduced to one component, all others stay as they are; None = every value.
        threads: None = all that this process may use; the result is the same.

    Returns:
        A new array of the type of `labels`.

    Raises:
        DataError: the labels are no integers, or have not two or three axes.
        ValueError: no such connectivity.
    """
    _require(labels, connectivity)
    if labels.size == 0:
        return labels.copy()
    memory = _Memory.of(labels)
    kept = np.zeros_like(memory.array)
    chosen = np.array([value for value in classes or () if _fits(value, labels.dtype)], dtype=labels.dtype)
    n_classes = ctypes.c_int64(-1 if classes is None else len(chosen))
    asked = memory.arguments(connectivity, threads)
    if not library.call("keep_largest", *asked, chosen.ctypes, n_classes, kept.ctypes):
        return _plain_keep_largest(labels, connectivity, classes)
    return memory.restore(kept)


def _require(labels: Array, connectivity: int) -> None:
    if labels.dtype.kind not in "biu":
        raise DataError(f"components are found among integer labels, got an array of {labels.dtype}")
    if labels.ndim not in NEIGHBOURS:
        raise DataError(f"components are found in two or three dimensions, got an array of shape {labels.shape}")
    if connectivity not in NEIGHBOURS[labels.ndim]:
        known = " or ".join(str(number) for number in NEIGHBOURS[labels.ndim])
        raise ValueError(f"in {labels.ndim} dimensions a voxel has {known} neighbours, got {connectivity}")


def _fits(value: int, dtype: np.dtype[Any]) -> bool:
    if dtype == np.bool_:
        return value in (0, 1)
    limits = np.iinfo(dtype)
    return int(limits.min) <= value <= int(limits.max)


@dataclass(frozen=True, eq=False)
class _Memory:
    """Labels in the order of their memory, and how that order came to be."""

    array: LabelArray
    axes: list[int]
    raster_steps: list[int]

    @classmethod
    def of(cls, labels: Array) -> "_Memory":
        (array,), axes = as_contiguous(labels)
        steps = [int(np.prod(labels.shape[axis + 1 :], dtype=np.int64)) for axis in axes]
        return cls(array, axes, steps)

    def arguments(self, connectivity: int, threads: int | None) -> tuple[object, ...]:
        """What both C functions want to know; axes of one voxel are left out, for rows as long as can be."""
        kept = [axis for axis, size in enumerate(self.array.shape) if size > 1]
        sizes = [self.array.shape[axis] for axis in kept]
        steps = [self.raster_steps[axis] for axis in kept]
        while len(sizes) < 3:
            # In front of the rows; what a step along an axis of one voxel would add does not matter.
            place = max(0, len(sizes) - 1)
            sizes.insert(place, 1)
            steps.insert(place, steps[place] if steps else 1)
        cube = {4: 6, 8: 26}.get(connectivity, connectivity)
        return (
            self.array.ctypes,
            ctypes.c_int64(self.array.itemsize),
            (ctypes.c_int64 * 3)(*sizes),
            (ctypes.c_int64 * 3)(*steps),
            ctypes.c_int64(cube),
            ctypes.c_int64(threads or library.default_threads()),
        )

    def restore(self, result: Array) -> Array:
        """A result in the order of axes that the caller knows."""
        return result.transpose(np.argsort(self.axes))


def _structure(labels: Array, connectivity: int) -> Array:
    from scipy import ndimage

    return ndimage.generate_binary_structure(labels.ndim, NEIGHBOURS[labels.ndim][connectivity])


def _plain(labels: Array, connectivity: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], LabelArray]:
    """The same, class by class with scipy."""
    from scipy import ndimage

    components = np.zeros(labels.shape, np.int32)
    classes: list[LabelArray] = []
    total = 0
    for value in np.unique(labels[labels != 0]):
        parts, count = ndimage.label(np.ascontiguousarray(labels == value), _structure(labels, connectivity))
        np.copyto(components, parts + total, where=parts > 0, casting="unsafe")
        classes.append(np.full(count, value, dtype=labels.dtype))
        total += count
    flat = components.reshape(-1)
    places = np.flatnonzero(flat)[::-1]
    first = np.zeros(total, dtype=np.int64)
    first[flat[places] - 1] = places  # of several places of one component the last that is written counts
    order = np.argsort(first)
    numbers = np.zeros(total + 1, np.int32)
    numbers[1:][order] = np.arange(1, total + 1)
    sizes = np.bincount(flat, minlength=total + 1)[1:][order].astype(np.int64)
    values = np.concatenate(classes)[order] if classes else np.zeros(0, labels.dtype)
    return numbers[components], sizes, values


def _plain_keep_largest(labels: Array, connectivity: int, classes: Collection[int] | None) -> LabelArray:
    components, sizes, values = _plain(labels, connectivity)
    order = np.lexsort((np.arange(len(sizes)), -sizes, values))
    ranked = values[order]
    is_largest = np.ones(len(order), dtype=bool)
    is_largest[1:] = ranked[1:] != ranked[:-1]
    keep = np.zeros(len(sizes) + 1, dtype=bool)
    keep[1:][order] = is_largest
    if classes is not None:
        keep[1:] |= ~np.isin(values, list(classes))
    return np.where(keep[components], labels, labels.dtype.type(0))
