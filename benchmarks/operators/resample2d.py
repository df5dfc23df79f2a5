"""Doubling and halving on the feature maps of generator and critic, against the best that plain torch has."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F

from medsegan.ops import downsample2d, upsample2d

from ..timing import Case

Resample = Callable[[torch.Tensor], torch.Tensor]

# The smaller of the two sizes: feature maps, and label and image maps of the skip path.
SHAPES = ((16, 64, 32, 32), (16, 32, 64, 64), (16, 5, 64, 64))


def _binomial(x: torch.Tensor, total: float) -> torch.Tensor:
    taps = x.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8.0
    return (torch.outer(taps, taps) * total).expand(x.shape[1], 1, 4, 4)


def transposed_convolution(x: torch.Tensor) -> torch.Tensor:
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv_transpose2d(padded, _binomial(x, 4.0), stride=2, padding=3, groups=x.shape[1])


def interpolation(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def convolution(x: torch.Tensor) -> torch.Tensor:
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv2d(padded, _binomial(x, 1.0), stride=2, groups=x.shape[1])


def cases(device: str) -> Iterator[Case]:
    for n, c, h, w in SHAPES:
        for order in (torch.channels_last, torch.contiguous_format):
            small = torch.randn((n, c, h, w), device=device).contiguous(memory_format=order)
            large = torch.randn((n, c, 2 * h, 2 * w), device=device).contiguous(memory_format=order)
            ups = {"plain interpolate": interpolation, "plain transposed convolution": transposed_convolution}
            yield _case("upsample2d", upsample2d, ups, small, large)
            yield _case("downsample2d", downsample2d, {"plain convolution": convolution}, large, small)


def _case(name: str, ours: Resample, rivals: dict[str, Resample], x: torch.Tensor, gradient: torch.Tensor) -> Case:
    """Forward and backward; every rival has the bar, and so the fastest one."""
    leaf = x.clone().requires_grad_()

    def step(op: Resample) -> Callable[[], object]:
        return lambda: torch.autograd.grad(op(leaf), leaf, gradient)

    order = "contiguous" if x.is_contiguous() else "channels_last"
    return Case(
        f"{name} {list(x.shape)} {order}, forward and backward",
        step(ours),
        {rival: step(op) for rival, op in rivals.items()},
        dict.fromkeys(rivals, 2.0),
        15,
        2 * (x.numel() + gradient.numel()) * x.element_size(),
    )
