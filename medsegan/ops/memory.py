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
