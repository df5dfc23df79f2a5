"""The order of feature maps in memory: contiguous or channels-last, and nothing else."""

import torch


def as_dense(x: torch.Tensor) -> torch.Tensor:
    """X itself where it is contiguous or channels-last, else a contiguous copy."""
    if x.is_contiguous() or (x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)):
        return x
    return x.contiguous()


def memory_format_of(x: torch.Tensor) -> torch.memory_format:
    """The order of a dense tensor; contiguous where it is both."""
    return torch.contiguous_format if x.is_contiguous() else torch.channels_last


def empty_image(x: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """An uninitialised [N, C, height, width] like x [N, C, H, W], in the order that `as_dense(x)` has."""
    order = memory_format_of(as_dense(x))
    return torch.empty((*x.shape[:2], height, width), dtype=x.dtype, device=x.device, memory_format=order)
