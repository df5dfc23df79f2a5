"""A volume on another grid, through an affine: the values between the voxels."""

import ctypes
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..shapes import Array, Shape3
from . import library

Order = Literal["nearest", "linear", "cubic", "label_linear"]
ORDERS: tuple[Order, ...] = ("nearest", "linear", "cubic", "label_linear")

_FACE_TOLERANCE = 1e-6
"""In voxels; a sample this far beyond the outer face is rounding, not outside."""
_TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
_DIRECT_IMAGE_TYPES = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"}
_LARGEST_ENTRY = 1e15
_PLAIN_SLAB = 1 << 20


@dataclass(frozen=True)
class _Job:
    """Source and target as arrays whose last axis is the fastest, and the matrix between their indices."""

    source: Array
    target: Array
    matrix: npt.NDArray[np.float64]
    order: Order
    fill: Array | None


def resample3d(
    volume: Array,
    source_from_target: npt.ArrayLike,
    shape: Shape3,
    order: Order = "linear",
    fill: float | None = 0.0,
    threads: int | None = None,
) -> Array:
    """The volume on a grid of another shape: the value at target index t is that at source index M t.

    A sample up to half a voxel beyond the outermost voxel centres (within the volume's outer faces, to 1e-6 voxel)
    is taken at the nearest point between the centres, which continues the edge; beyond the faces it is `fill`.
    Where every sample is a voxel (identity, flips, other orders of axes, crops) values are copied, bit by bit.
    Nothing is smoothed first: where the target is coarser, details alias.

    * "nearest": the nearest voxel; half way between two the one of the higher index.
    * "linear": trilinear. A NaN spreads to the samples that it is a neighbour of.
    * "cubic": the cubic B-spline through the voxels, mirrored at the outermost centres as in scipy's mode
      "mirror". The spline is made brick by brick, so that a voxel's influence ends after some dozen voxels: values
      differ from the endless spline by at most 1e-7 of the volume's range.
    * "label_linear": each label is interpolated linearly as a picture of zeros and ones, and the largest wins; on
      a tie the lower label.

    Beside volume and result it takes at most 64 MiB with up to six threads (three for float64), whatever the
    memory order of the volume. What is not computed with directly is converted first: float16, bool and 64-bit
    integers in "linear" and "cubic", and foreign byte orders. Without compiled kernels nothing is promised.

    Args:
        volume: (I, J, K) of any floating, integer or boolean type; labels for "label_linear" are integers or bool.
        source_from_target: (3, 4) or (4, 4) affine from target to source, both in voxel indices.
        shape: of the result.
        order: see above.
        fill: value outside of the volume; `None` continues the edge without end.
        threads: most threads to use; `None` = all that the process may use. The result does not depend on it.

    Returns:
        (shape) in the memory order of the volume. "nearest" and "label_linear" keep its type; "linear" and "cubic"
        keep floating types and make float32 of everything else (computed in double for double, else in float).

    Raises:
        DataError: volume, matrix, shape, order or fill are not as above; or the volume is empty and has no edge.

    Source: Unser, "Splines: A Perfect Fit for Signal and Image Processing", IEEE Signal Processing Magazine 1999,
    box 2 (cubic prefilter).
    """
    matrix = _require(volume, source_from_target, shape, order)
    kind = _result_type(volume.dtype, order)
    value = _as_fill(fill, kind)
    axes = sorted(range(3), key=lambda axis: -abs(volume.strides[axis]))
    result = np.empty([shape[axis] for axis in axes], dtype=kind)
    back = np.argsort(axes)
    if result.size == 0:
        return result.transpose(back)
    if volume.size == 0:
        if value is None:
            raise DataError(
                f"a volume of shape {volume.shape} has no edge that could be continued; give a fill value"
            )
        result[...] = value
        return result.transpose(back)
    source = _computable(volume, order).transpose(axes)
    in_float = kind == np.float16 and order != "nearest"
    target = np.empty(result.shape, dtype=np.float32) if in_float else result
    if value is not None:
        value = value.astype(target.dtype)
    job = _Job(source, target, np.ascontiguousarray(matrix[axes][:, [*axes, 3]]), order, value)
    if not _compiled(job, library.default_threads() if threads is None else threads):
        _plain(job)
    if target is not result:
        result[...] = target
    return result.transpose(back)


def _require(
    volume: Array, source_from_target: npt.ArrayLike, shape: Shape3, order: str
) -> npt.NDArray[np.float64]:
    """The (3, 4) matrix, after all inputs have been found sound."""
    if order not in ORDERS:
        raise DataError(f"the order of interpolation is one of {', '.join(ORDERS)}, got {order!r}")
    if volume.ndim != 3 or len(shape) != 3 or min(shape) < 0:
        raise DataError(f"a volume has three axes, got one of shape {volume.shape} and a target of shape {shape}")
    if max(*shape, *volume.shape) >= 2**31:
        raise DataError(f"an axis has fewer than 2^31 voxels, got shapes {volume.shape} and {shape}")
    allowed = "iub" if order == "label_linear" else "iubf"
    if volume.dtype.kind not in allowed or volume.dtype.itemsize > 8:
        raise DataError(f"{order} resampling does not know values of type {volume.dtype}")
    matrix = np.asarray(source_from_target, dtype=np.float64)
    if matrix.shape not in ((3, 4), (4, 4)) or not (np.abs(matrix) <= _LARGEST_ENTRY).all():
        raise DataError(f"source_from_target must be a finite 3x4 or 4x4 affine, got {matrix.tolist()}")
    if len(matrix) == 4 and matrix[3].tolist() != [0.0, 0.0, 0.0, 1.0]:
        raise DataError(f"the last row of an affine is 0 0 0 1, got {matrix[3].tolist()}")
    return matrix[:3]


def _result_type(kind: np.dtype[Any], order: Order) -> np.dtype[Any]:
    native = kind.newbyteorder("=")
    return native if order in ("nearest", "label_linear") or native.kind == "f" else np.dtype(np.float32)


def _as_fill(fill: float | None, kind: np.dtype[Any]) -> Array | None:
    """The fill value in the type of the result; `None` stays `None`."""
    if fill is None:
        return None
    if kind.kind == "f":
        return np.array([fill], dtype=kind)
    low, high = (0, 1) if kind.kind == "b" else (np.iinfo(kind).min, np.iinfo(kind).max)
    if not (low <= fill <= high and int(fill) == fill):
        raise DataError(f"voxels of type {kind} cannot hold the fill value {fill}")
    return np.array([int(fill)], dtype=kind)


def _computable(volume: Array, order: Order) -> Array:
    """The volume itself, or a copy in a type that can be computed with, at places that are whole steps apart."""
    kind = volume.dtype
    if order in ("linear", "cubic") and kind.name not in _DIRECT_IMAGE_TYPES:
        kind = np.dtype(np.float32)
    values = volume.astype(kind.newbyteorder("="), copy=False)
    whole = all(stride % values.itemsize == 0 for stride in values.strides) and values.flags.aligned
    return values if whole else np.array(values, order="K")


def _compiled(job: _Job, threads: int) -> bool:
    """Whether the compiled kernel was there and filled the target."""
    source, target, fill = job.source, job.target, job.fill
    if source.dtype == bool:
        source, target = source.view(np.uint8), target.view(np.uint8)
        fill = None if fill is None else fill.view(np.uint8)
    if source.dtype == np.float16:  # only copied
        source, target = source.view(np.uint16), target.view(np.uint16)
        fill = None if fill is None else fill.view(np.uint16)
    return library.call(
        "resample3d",
        source.ctypes,
        ctypes.c_int32(_TYPES.index(source.dtype.name)),
        _layout(source).ctypes,
        target.ctypes,
        ctypes.c_int32(_TYPES.index(target.dtype.name)),
        _layout(target).ctypes,
        job.matrix.ctypes,
        None if fill is None else fill.ctypes,
        ctypes.c_int32(ORDERS.index(job.order)),
        ctypes.c_int32(threads),
    )


def _layout(array: Array) -> npt.NDArray[np.int64]:
    """Lengths, then steps in elements."""
    return np.array([*array.shape, *(stride // array.itemsize for stride in array.strides)], dtype=np.int64)


def _plain(job: _Job) -> None:
    """Fill the target with numpy and scipy."""
    columns = _columns(job.matrix, job.target.shape)
    if columns is not None and job.order in ("nearest", "linear"):
        _axis_by_axis(job, columns)
    else:
        _point_by_point(job)


def _columns(matrix: npt.NDArray[np.float64], shape: tuple[int, ...]) -> list[int | None] | None:
    """For each source axis the target axis that runs along it, if there is one; `None` if axes are mixed."""
    used = (matrix[:, :3] != 0) & (np.array(shape) > 1)
    if (used.sum(axis=0) > 1).any() or (used.sum(axis=1) > 1).any():
        return None
    return [int(row.argmax()) if row.any() else None for row in used]


def _axis_by_axis(job: _Job, columns: list[int | None]) -> None:
    """Nearest or linear along one axis after the other."""
    values, inside = job.source, np.ones((1, 1, 1), dtype=np.bool_)
    if job.order == "linear":
        values = values.astype(job.target.dtype, copy=False)
    for axis in (2, 1, 0):
        column = columns[axis]
        n, m = values.shape[axis], 1 if column is None else job.target.shape[column]
        positions = job.matrix[axis, 3] + job.matrix[axis, column or 0] * np.arange(m)
        within = (positions >= -0.5 - _FACE_TOLERANCE) & (positions <= n - 0.5 + _FACE_TOLERANCE)
        inside = inside & within.reshape([-1 if target == column else 1 for target in range(3)])
        values = _along(values, axis, np.clip(positions, 0.0, n - 1.0), job.order)
    taken = [column for column in columns if column is not None]
    values = values.squeeze(tuple(axis for axis in range(3) if columns[axis] is None)).transpose(np.argsort(taken))
    job.target[...] = np.expand_dims(values, tuple(target for target in range(3) if target not in taken))
    if job.fill is not None:
        np.copyto(job.target, job.fill[0], where=~inside)


def _along(values: Array, axis: int, positions: npt.NDArray[np.float64], order: Order) -> Array:
    """The values at positions between the first and the last index of an axis."""
    if order == "nearest" or (positions == np.floor(positions)).all():
        return np.take(values, np.floor(positions + 0.5).astype(np.intp), axis=axis)
    first = np.floor(positions).astype(np.intp)
    rest = positions - first
    low, high = np.take(values, first, axis=axis), np.take(values, first + (rest > 0), axis=axis)
    weight = rest.astype(values.dtype).reshape([-1 if other == axis else 1 for other in range(3)])
    with np.errstate(invalid="ignore"):  # the difference of two infinities
        high -= low
        high *= weight
        high += low
    np.copyto(high, low, where=weight == 0)
    return high


def _point_by_point(job: _Job) -> None:
    """Any order and matrix, a slab at a time."""
    from scipy import ndimage

    coefficients = job.source
    if job.order == "cubic":
        coefficients = ndimage.spline_filter(job.source.astype(np.float64), 3, mode="mirror")
    per_slab = max(1, _PLAIN_SLAB // max(1, int(np.prod(job.target.shape[1:]))))
    lengths = np.array(job.source.shape).reshape(3, 1, 1, 1)
    for first in range(0, len(job.target), per_slab):
        slab = job.target[first : first + per_slab]
        positions = _positions(job.matrix, first, slab.shape)
        inside = (positions >= -0.5 - _FACE_TOLERANCE) & (positions <= lengths - 0.5 + _FACE_TOLERANCE)
        positions = np.clip(positions, 0.0, lengths - 1.0)
        if job.order == "nearest" or (job.order != "label_linear" and (positions == np.floor(positions)).all()):
            slab[...] = job.source[tuple(np.floor(positions + 0.5).astype(np.intp))]
        elif job.order == "label_linear":
            slab[...] = _most_of_eight(job.source, positions)
        else:
            spline_order = 3 if job.order == "cubic" else 1
            slab[...] = ndimage.map_coordinates(
                coefficients, positions, output=slab.dtype, order=spline_order, mode="mirror", prefilter=False
            )
        if job.fill is not None:
            slab[~inside.all(axis=0)] = job.fill[0]


def _positions(matrix: npt.NDArray[np.float64], first: int, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """(3, i, j, k) source indices of a slab of the target, added up in the order in which the kernels do it."""
    i, j, k = np.ogrid[first : first + shape[0], : shape[1], : shape[2]]
    return np.stack([((row[3] + row[0] * i) + row[1] * j) + row[2] * k for row in matrix])


def _most_of_eight(labels: Array, positions: npt.NDArray[np.float64]) -> Array:
    """For each position the label with the largest share of its eight neighbours."""
    low = np.floor(positions).astype(np.intp)
    high = low + (positions > low)
    ends = (low, high)
    near = [labels[tuple(ends[upper][axis] for axis, upper in enumerate(c))] for c in np.ndindex(2, 2, 2)]
    result = near[0]
    mixed = np.logical_or.reduce([other != result for other in near[1:]])
    near = [values[mixed] for values in near]
    rest = positions[:, mixed] - low[:, mixed]
    shares = ((1.0 - rest), rest)
    weights = [shares[z][0] * shares[y][1] * shares[x][2] for z, y, x in np.ndindex(2, 2, 2)]
    best, most = near[0], np.full(near[0].shape, -1.0)
    for one in near:
        share = sum(np.where(other == one, weight, 0.0) for other, weight in zip(near, weights, strict=True))
        wins = (share > most) | ((share == most) & (one < best))
        best, most = np.where(wins, one, best), np.where(wins, share, most)
    result[mixed] = best
    return result
