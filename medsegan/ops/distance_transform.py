"""Exact Euclidean distances from every voxel of a mask tensor to the nearest voxel outside of it.

Masks are bool and distances have no derivative with respect to them: there is no gradient.
"""

from collections.abc import Sequence

import torch

from .. import voxels
from ..voxels.distance_transform import require_spacing
from .library import declare


def distance_transform(mask: torch.Tensor, spacing_mm: Sequence[float]) -> torch.Tensor:
    """Distance in mm from every voxel to the nearest voxel that is not in the mask; not differentiable.

    The values of `scipy.ndimage.distance_transform_edt(mask, sampling=spacing_mm)`, rounded to float32: 0 outside
    of the mask; infinite where the mask has no voxel outside of it.

    Args:
        mask: [..., H, W] or [..., D, H, W] for two or three spacings; axes in front of these are a batch. Bool; of
            other types, what is not 0 is in the mask.
        spacing_mm: of the last two or three axes, positive.

    Returns:
        Float32, contiguous, of the shape of the mask.

    Raises:
        ValueError: spacings and axes do not fit, or a spacing is not positive and finite.

    Source: Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012.
    """
    require_spacing(mask.ndim, spacing_mm)
    return torch.ops.medsegan.distance_transform(_as_bool(mask), list(spacing_mm))


def nearest_outside(mask: torch.Tensor, spacing_mm: Sequence[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """The distances of `distance_transform`, and which voxel each of them leads to; not differentiable.

    Args:
        mask: as in `distance_transform`.
        spacing_mm: as in `distance_transform`.

    Returns:
        The distances, and for every voxel the int64 index of the nearest voxel outside of the mask, in C order
        within its own item of the batch; -1 where there is none. Of several at the same distance kernels take the
        smallest index; see `medsegan.voxels.nearest_outside`.

    Raises:
        ValueError: spacings and axes do not fit, or a spacing is not positive and finite.
    """
    require_spacing(mask.ndim, spacing_mm)
    return torch.ops.medsegan.nearest_outside(_as_bool(mask), list(spacing_mm))


def _as_bool(mask: torch.Tensor) -> torch.Tensor:
    return mask if mask.dtype == torch.bool else mask != 0


def _reference(mask: torch.Tensor, spacing_mm: list[float]) -> torch.Tensor:
    array = mask.cpu().contiguous().numpy()
    distances = voxels.distance_transform(array, spacing_mm, threads=torch.get_num_threads())
    return torch.from_numpy(distances).to(mask.device)


def _reference_nearest(mask: torch.Tensor, spacing_mm: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    array = mask.cpu().contiguous().numpy()
    found = voxels.nearest_outside(array, spacing_mm, threads=torch.get_num_threads())
    distances, indices = (torch.from_numpy(part).to(mask.device) for part in found)
    return distances, indices


def _fake(mask: torch.Tensor, spacing_mm: list[float]) -> torch.Tensor:
    return mask.new_empty(mask.shape, dtype=torch.float32)


declare("distance_transform(Tensor mask, float[] spacing_mm) -> Tensor", _reference, _fake)
declare(
    "nearest_outside(Tensor mask, float[] spacing_mm) -> (Tensor, Tensor)",
    _reference_nearest,
    lambda mask, spacing_mm: (_fake(mask, spacing_mm), mask.new_empty(mask.shape, dtype=torch.int64)),
)
