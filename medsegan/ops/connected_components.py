"""Connected components of label tensors, and the largest of each class."""

from collections.abc import Collection

import torch

from .. import voxels
from .library import declare

_SIGNED = (torch.int8, torch.int16, torch.int32, torch.int64)
_UNSIGNED = (torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64)


def connected_components(
    labels: torch.Tensor, connectivity: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The component of every voxel, the size of each component, and its class.

    A component is made of voxels of one value, not 0, each reached from the next through neighbours. Components
    are numbered by their first voxel in raster order (the last axis fastest).

    Args:
        labels: [D, H, W] or [H, W], integers or bool; 0 is background.
        connectivity: 6, 18 or 26 neighbours in three dimensions; 4 or 8 in two.

    Returns:
        [D, H, W] or [H, W] int32, 0 for background, else 1 to n; [n] int64 voxels; [n] values of `labels`.

    Raises:
        ValueError: the labels are no integers or have not two or three axes, or there is no such connectivity.
    """
    _require(labels, connectivity)
    return torch.ops.medsegan.connected_components(labels, connectivity)


def keep_largest(labels: torch.Tensor, connectivity: int, classes: Collection[int] | None = None) -> torch.Tensor:
    """The labels without the voxels that lie outside of the largest component of their class: those become 0.

    Of components of one size the first in raster order stays.

    Args:
        labels: [D, H, W] or [H, W], integers or bool; 0 is background.
        connectivity: 6, 18 or 26 neighbours in three dimensions; 4 or 8 in two.
        classes: values that are reduced to one component, all others stay as they are; None = every value.

    Raises:
        ValueError: the labels are no integers or have not two or three axes, or there is no such connectivity.
    """
    _require(labels, connectivity)
    return torch.ops.medsegan.keep_largest(labels, connectivity, None if classes is None else list(classes))


def _require(labels: torch.Tensor, connectivity: int) -> None:
    if labels.dtype not in _SIGNED + _UNSIGNED:
        raise ValueError(f"components are found among integer labels, got a tensor of {labels.dtype}")
    neighbours = voxels.NEIGHBOURS.get(labels.ndim)
    if neighbours is None:
        shape = list(labels.shape)
        raise ValueError(f"components are found in two or three dimensions, got a tensor of shape {shape}")
    if connectivity not in neighbours:
        known = " or ".join(str(number) for number in neighbours)
        raise ValueError(f"in {labels.ndim} dimensions a voxel has {known} neighbours, got {connectivity}")


def _reference(labels: torch.Tensor, connectivity: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    array = labels.cpu().contiguous().numpy()
    found = voxels.connected_components(array, connectivity, threads=torch.get_num_threads())
    components, sizes, classes = (torch.from_numpy(part).to(labels.device) for part in found)
    return components, sizes, classes


def _reference_keep_largest(labels: torch.Tensor, connectivity: int, classes: list[int] | None) -> torch.Tensor:
    array = labels.cpu().contiguous().numpy()
    kept = voxels.keep_largest(array, connectivity, classes, threads=torch.get_num_threads())
    return torch.from_numpy(kept).to(labels.device)


def _fake(labels: torch.Tensor, connectivity: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    n = torch.library.get_ctx().new_dynamic_size()
    components = labels.new_empty(labels.shape, dtype=torch.int32)
    return components, labels.new_empty(n, dtype=torch.int64), labels.new_empty(n)


declare(
    "connected_components(Tensor labels, int connectivity) -> (Tensor, Tensor, Tensor)",
    _reference,
    _fake,
)
declare(
    "keep_largest(Tensor labels, int connectivity, int[]? classes) -> Tensor",
    _reference_keep_largest,
    lambda labels, connectivity, classes: labels.new_empty(labels.shape),
)
