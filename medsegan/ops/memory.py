"""The order of feature maps in memory: contiguous or channels-last, and nothing else."""

import torch


def as_dense(x: torch.Tensor) -> torch.Tensor:
    """X itself where it is contiguous or channels-last, else a contiguous copy."""
    if x.is_contiguous() or (x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)):
        return x
    return x.contiguous()
