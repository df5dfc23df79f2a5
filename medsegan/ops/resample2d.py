"""Doubling and halving of feature maps with the binomial filter [1, 3, 3, 1].

Doubling with this filter is bilinear interpolation between pixel centres; halving is its transpose divided by 4,
at the edges too, because both continue the image there. So each one's gradient is the other, at every order.
"""

from typing import Any

import torch
import torch.nn.functional as F

from .library import declare, differentiate
from .memory import as_dense, empty_image, memory_format_of
from .precision import in_full_precision


def upsample2d(x: torch.Tensor) -> torch.Tensor:
    """[N, C, 2H, 2W] from [N, C, H, W]; constant images stay constant, the edge is continued.

    Args:
        x: feature maps of any size and any floating dtype.

    Raises:
        ValueError: x has not four dimensions.

    Source: Karras et al., CVPR 2020, appendix B (bilinear filtering in the skip path).
    """
    if x.ndim != 4:
        raise ValueError(f"expected feature maps [N, C, H, W], got {x.ndim} dimensions")
    return torch.ops.medsegan.upsample2d(x, 1.0)


def downsample2d(x: torch.Tensor) -> torch.Tensor:
    """[N, C, H/2, W/2] from [N, C, H, W], low-passed with [1, 3, 3, 1] / 8 along both axes, the edge continued.

    Args:
        x: feature maps of even height and width and any floating dtype.

    Raises:
        ValueError: x has not four dimensions, or an odd size.

    Source: Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019, section 3.
    """
    if x.ndim != 4:
        raise ValueError(f"expected feature maps [N, C, H, W], got {x.ndim} dimensions")
    if x.shape[2] % 2 or x.shape[3] % 2:
        raise ValueError(f"only even sizes can be halved, got {x.shape[2]} x {x.shape[3]}")
    return torch.ops.medsegan.downsample2d(x, 1.0)


@in_full_precision
def _upsample(x: torch.Tensor, gain: float) -> torch.Tensor:
    """A depthwise transposed convolution: on a CPU faster than `interpolate` with its gradient."""
    x = as_dense(x)
    if x.numel() == 0:
        return _double(x, gain)
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    y = F.conv_transpose2d(padded, _binomial_kernel(x, 4.0 * gain), stride=2, padding=3, groups=x.shape[1])
    return y.contiguous(memory_format=memory_format_of(x))


@in_full_precision
def _downsample(x: torch.Tensor, gain: float) -> torch.Tensor:
    x = as_dense(x)
    if x.numel() == 0:
        return _halve(x, gain)
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    y = F.conv2d(padded, _binomial_kernel(x, gain), stride=2, groups=x.shape[1])
    return y.contiguous(memory_format=memory_format_of(x))


def _binomial_kernel(x: torch.Tensor, total: float) -> torch.Tensor:
    """[C, 1, 4, 4] outer product of [1, 3, 3, 1] with itself, summing to `total`, for every channel of x."""
    taps = x.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8.0
    return (torch.outer(taps, taps) * total).expand(x.shape[1], 1, 4, 4)


def _double(x: torch.Tensor, gain: float) -> torch.Tensor:
    """An image of twice the size, uninitialised."""
    return empty_image(x, 2 * x.shape[2], 2 * x.shape[3])


def _halve(x: torch.Tensor, gain: float) -> torch.Tensor:
    """An image of half the size, uninitialised."""
    return empty_image(x, x.shape[2] // 2, x.shape[3] // 2)


def _save_gain(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    ctx.gain = inputs[1]


def _backward_upsample(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
    return torch.ops.medsegan.downsample2d(gradient, 4.0 * ctx.gain), None


def _backward_downsample(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
    return torch.ops.medsegan.upsample2d(gradient, 0.25 * ctx.gain), None


# A gain of 1 keeps constants constant.
declare("upsample2d(Tensor x, float gain) -> Tensor", _upsample, _double)
declare("downsample2d(Tensor x, float gain) -> Tensor", _downsample, _halve)
differentiate("upsample2d", _backward_upsample, _save_gain)
differentiate("downsample2d", _backward_downsample, _save_gain)
