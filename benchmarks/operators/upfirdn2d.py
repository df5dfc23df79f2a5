"""The general filter on feature maps, against a depthwise convolution of the upsampled image in plain torch."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F

from medsegan.ops import upfirdn2d

from ..timing import Case

SHAPE = (16, 32, 64, 64)


def plain_doubling(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    weight = torch.outer(taps, taps).expand(x.shape[1], 1, 4, 4)
    return F.conv_transpose2d(x, weight, stride=2, padding=1, groups=x.shape[1])


def plain_halving(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    weight = torch.outer(taps, taps).flip(0, 1).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, weight, stride=2, padding=1, groups=x.shape[1])


def plain_blur(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    weight = torch.outer(taps, taps).flip(0, 1).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(F.pad(x, (2, 1, 2, 1)), weight, groups=x.shape[1])


def double(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    return upfirdn2d(x, taps, up=(2, 2), padding=(2, 1, 2, 1))


def halve(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    return upfirdn2d(x, taps, down=(2, 2), padding=(1, 1, 1, 1))


def blur(x: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    return upfirdn2d(x, taps, padding=(2, 1, 2, 1))


def cases(device: str) -> Iterator[Case]:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], device=device) / 8
    pairs = (("up 2", double, plain_doubling), ("down 2", halve, plain_halving), ("blur", blur, plain_blur))
    for order in (torch.channels_last, torch.contiguous_format):
        x = torch.randn(SHAPE, device=device).contiguous(memory_format=order).requires_grad_()
        for name, ours, plain in pairs:
            gradient = torch.randn_like(ours(x, taps))

            def step(op: Callable[..., torch.Tensor], x=x, gradient=gradient) -> Callable[[], object]:
                return lambda: torch.autograd.grad(op(x, taps), x, gradient)

            yield Case(
                f"upfirdn2d {name} {list(SHAPE)} {str(order).removeprefix('torch.')}, forward and backward",
                step(ours),
                {"plain torch": step(plain)},
                {"plain torch": 2.0},
                15,
            )
