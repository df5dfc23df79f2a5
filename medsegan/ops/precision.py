"""References in the precision of their tensors, whatever the caller allows for his convolutions."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import torch


def in_full_precision(reference: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """The reference without autocast and, on a GPU, without TF32: kernels know neither.

    Args:
        reference: takes features as its first argument.
    """

    @functools.wraps(reference)
    def exact(x: torch.Tensor, *arguments: Any) -> torch.Tensor:
        with torch.autocast(x.device.type, enabled=False), _without_tf32(x):
            return reference(x, *arguments)

    return exact


@contextlib.contextmanager
def _without_tf32(x: torch.Tensor) -> Iterator[None]:
    if not x.is_cuda:
        yield
        return
    cudnn = torch.backends.cudnn
    kept = {"enabled": cudnn.enabled, "benchmark": cudnn.benchmark, "deterministic": cudnn.deterministic}
    with cudnn.flags(**kept, allow_tf32=False):
        yield
