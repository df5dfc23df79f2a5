"""Exponential moving averages of weights."""

import torch
from torch import nn


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, batch: int, half_life_nimg: float) -> None:
    """Move the average towards the model after a step over `batch` images.

    The decay is 0.5 ** (batch / half-life), so that it does not depend on the batch size. Buffers are copied.

    Source: Karras et al., ICLR 2018, section 4.1 (averaged generator for output).
    """
    decay = 0.5 ** (batch / max(half_life_nimg, 1e-8))
    averaged: list[torch.Tensor] = list(average.parameters())
    current: list[torch.Tensor] = [p.detach() for p in model.parameters()]
    torch._foreach_lerp_(averaged, current, 1.0 - decay)
    for mine, other in zip(average.buffers(), model.buffers(), strict=True):
        mine.copy_(other)
