"""A volume on another grid, through an affine. The definition is that of `medsegan.voxels.resample3d`."""

import math
from collections.abc import Sequence

import torch

from ..voxels.resample3d import ORDERS, Order
from ..voxels.resample3d import resample3d as resample_array
from .library import declare

_IMAGE_ORDERS = (ORDERS.index("linear"), ORDERS.index("cubic"))


def resample3d(
    volume: torch.Tensor,
    source_from_target: Sequence[Sequence[float]],
    shape: Sequence[int],
    order: Order = "linear",
    fill: float | None = 0.0,
) -> torch.Tensor:
    """The volume on a grid of another shape: the value at target index t is that at source index M t.

    Orders, faces and exactness are those of `medsegan.voxels.resample3d`. It has no gradient.

    Args:
        volume: [I, J, K] of any real dtype; labels for "label_linear" are integers or bool.
        source_from_target: three or four rows of four: the affine from target to source, both in voxel indices.
        shape: of the result.
        order: "nearest", "linear", "cubic" or "label_linear".
        fill: value outside of the volume; None continues the edge without end.

    Returns:
        [*shape] contiguous. "nearest" and "label_linear" keep the dtype; "linear" and "cubic" keep floating dtypes
        and make float32 of everything else.

    Raises:
        ValueError: arguments are not as above, or the volume requires a gradient.
    """
    if order not in ORDERS:
        raise ValueError(f"the order of interpolation is one of {', '.join(ORDERS)}, got {order!r}")
    if volume.ndim != 3 or len(shape) != 3 or min(shape) < 0:
        raise ValueError(f"expected a volume and a shape of three axes, got {tuple(volume.shape)}, {tuple(shape)}")
    if volume.is_complex() or (order == "label_linear" and volume.is_floating_point()):
        raise ValueError(f"{order} resampling does not know values of type {volume.dtype}")
    if volume.requires_grad and torch.is_grad_enabled():
        raise ValueError("resample3d has no gradient; detach the volume first")
    if volume.numel() == 0 and fill is None and 0 not in shape:
        raise ValueError("an empty volume has no edge that could be continued; give a fill value")
    matrix = [float(entry) for row in source_from_target[:3] for entry in row]
    if len(matrix) != 12 or not all(math.isfinite(entry) for entry in matrix):
        raise ValueError(f"source_from_target must be finite, 3x4 or 4x4, got {source_from_target}")
    _require_fill(volume.dtype, ORDERS.index(order), fill)
    return torch.ops.medsegan.resample3d(volume, matrix, list(shape), ORDERS.index(order), fill)


def _require_fill(dtype: torch.dtype, order: int, fill: float | None) -> None:
    if fill is None or dtype.is_floating_point or order in _IMAGE_ORDERS:
        return
    low, high = (0, 1) if dtype == torch.bool else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
    if int(fill) != fill or not low <= fill <= high or abs(fill) > 2**53:
        raise ValueError(f"voxels of type {dtype} cannot hold the fill value {fill}")


def _result_type(dtype: torch.dtype, order: int) -> torch.dtype:
    return torch.float32 if order in _IMAGE_ORDERS and not dtype.is_floating_point else dtype


def _reference(
    volume: torch.Tensor, matrix: Sequence[float], shape: Sequence[int], order: int, fill: float | None
) -> torch.Tensor:
    values = volume.detach().cpu()
    if values.dtype == torch.bfloat16:  # numpy has none
        values = values.float()
    affine = [matrix[0:4], matrix[4:8], matrix[8:12]]
    size = (shape[0], shape[1], shape[2])
    result = resample_array(values.numpy(), affine, size, ORDERS[order], fill, torch.get_num_threads())
    moved = torch.from_numpy(result).contiguous()
    return moved.to(device=volume.device, dtype=_result_type(volume.dtype, order))


declare(
    "resample3d(Tensor volume, float[] source_from_target, SymInt[] shape, int order, float? fill) -> Tensor",
    _reference,
    lambda volume, matrix, shape, order, fill: volume.new_empty(shape, dtype=_result_type(volume.dtype, order)),
)
