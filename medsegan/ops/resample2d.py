"""Doubling and halving of feature maps with the binomial filter [1, 3, 3, 1].

Doubling with this filter is bilinear interpolation between pixel centres; halving is its transpose divided by 4.
Both are linear, so that gradients of every order exist.
"""

import torch
import torch.nn.functional as F


def upsample2d(x: torch.Tensor) -> torch.Tensor:
    """[N, C, 2H, 2W] from [N, C, H, W]; constant images stay constant, the edge is continued.

    Source: Karras et al., CVPR 2020, appendix B (bilinear filtering in the skip path). Written as a depthwise
    transposed convolution because that is several times faster on a CPU than `interpolate` and its gradient.
    """
    kernel = _binomial_kernel(x, total=4.0)
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv_transpose2d(padded, kernel, stride=2, padding=3, groups=x.shape[1])


def downsample2d(x: torch.Tensor) -> torch.Tensor:
    """[N, C, H/2, W/2] from [N, C, H, W], low-passed with [1, 3, 3, 1] / 8 along both axes; even sizes only.

    Source: Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019, section 3.
    """
    kernel = _binomial_kernel(x, total=1.0)
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    return F.conv2d(padded, kernel, stride=2, groups=x.shape[1])


def _binomial_kernel(x: torch.Tensor, total: float) -> torch.Tensor:
    """[C, 1, 4, 4] outer product of [1, 3, 3, 1] with itself, summing to `total`, for every channel of x."""
    taps = x.new_tensor([1.0, 3.0, 3.0, 1.0]) / 8.0
    return (torch.outer(taps, taps) * total).expand(x.shape[1], 1, 4, 4)
