"""bias_act on the feature maps of a generator, against the same in plain torch."""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F

from medsegan.ops import bias_act

from ..timing import Case, compiled

SHAPES = ((16, 64, 64, 64), (16, 32, 128, 128))


def plain(x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x + bias.view(1, -1, 1, 1), 0.2) * math.sqrt(2.0)


def cases(device: str) -> Iterator[Case]:
    for shape in SHAPES:
        for order in (torch.channels_last, torch.contiguous_format):
            x = torch.randn(shape, device=device).contiguous(memory_format=order).requires_grad_()
            bias = torch.randn(shape[1], device=device, requires_grad=True)
            gradient = torch.randn_like(x)

            def forward(op: Callable[..., torch.Tensor], x=x, bias=bias) -> object:
                with torch.no_grad():
                    return op(x, bias)

            def both(op: Callable[..., torch.Tensor], x=x, bias=bias, gradient=gradient) -> object:
                return torch.autograd.grad(op(x, bias), (x, bias), gradient)

            # Forward reads x and writes y; backward reads the gradient and what was kept, and writes dx.
            for name, step, passes in (("forward", forward, 2), ("forward and backward", both, 5)):
                yield Case(
                    f"bias_act {list(shape)} {str(order).removeprefix('torch.')}, {name}",
                    lambda s=step: s(bias_act),
                    {"plain torch": lambda s=step: s(plain), **compiled(device, lambda op, s=step: s(op), plain)},
                    {"plain torch": 2.0},
                    21,
                    passes * x.numel() * x.element_size(),
                )
