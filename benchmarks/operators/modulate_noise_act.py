"""modulate_noise_act on the feature maps of a generator, against its unfused form in plain torch."""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F

from medsegan.ops import modulate_noise_act

from ..timing import Case, compiled

SHAPES = ((16, 64, 64, 64), (16, 32, 128, 128))


def plain(x: torch.Tensor, scale: torch.Tensor, noise: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    y = x * scale[:, :, None, None] + noise + bias.view(1, -1, 1, 1)
    return F.leaky_relu(y, 0.2) * math.sqrt(2.0)


def cases(device: str) -> Iterator[Case]:
    for shape in SHAPES:
        for order in (torch.channels_last, torch.contiguous_format):
            n, c, h, w = shape
            x = torch.randn(shape, device=device).contiguous(memory_format=order)
            small = (
                torch.rand(n, c, device=device),
                torch.randn(n, 1, h, w, device=device),
                torch.randn(c, device=device),
            )
            inputs = tuple(v.requires_grad_() for v in (x, *small))
            gradient = torch.randn_like(x)

            def forward(op: Callable[..., torch.Tensor], inputs=inputs) -> object:
                with torch.no_grad():
                    return op(*inputs)

            def both(op: Callable[..., torch.Tensor], inputs=inputs, gradient=gradient) -> object:
                return torch.autograd.grad(op(*inputs), inputs, gradient)

            # Forward reads x and writes y; backward reads the gradient and what was kept, and writes dx.
            for name, step, passes in (("forward", forward, 2), ("forward and backward", both, 6)):
                yield Case(
                    f"modulate_noise_act {list(shape)} {str(order).removeprefix('torch.')}, {name}",
                    lambda s=step: s(modulate_noise_act),
                    {
                        "unfused torch": lambda s=step: s(plain),
                        **compiled(device, lambda op, s=step: s(op), plain),
                    },
                    {"unfused torch": 2.0},
                    21,
                    passes * x.numel() * x.element_size(),
                )
