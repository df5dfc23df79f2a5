"""Layers with equalised learning rate, and the modulated convolution.

Source: Karras et al., "Progressive Growing of GANs", ICLR 2018, section 4.1 (equalised learning rate);
Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, section 2.2 (modulation).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..ops import bias_act, upsample2d


class EqualizedLinear(nn.Module):
    """A fully connected layer whose weights are N(0, 1) and are scaled at run time.

    Args:
        in_features, out_features: widths.
        bias: initial value of the bias.
        activate: apply leaky ReLU x sqrt(2) after the bias.
        rate: learning-rate multiplier of this layer.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: float = 0.0, activate: bool = False, rate: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) / rate)
        self.bias = nn.Parameter(torch.full((out_features,), bias / rate))
        self.scale = rate / math.sqrt(in_features)
        self.rate = rate
        self.activate = activate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, out] from [N, in]."""
        y = F.linear(x, self.weight * self.scale)
        bias = (self.bias * self.rate).to(y.dtype)
        return bias_act(y, bias) if self.activate else y + bias


class EqualizedConv2d(nn.Module):
    """A square convolution whose weights are N(0, 1) and are scaled at run time; odd kernels keep the size."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, activate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.scale = 1.0 / math.sqrt(in_channels * kernel * kernel)
        self.stride = stride
        self.padding = (kernel - 1) // 2
        self.activate = activate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, out, H/stride, W/stride] from [N, in, H, W]."""
        y = F.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)
        bias = self.bias.to(y.dtype)
        return bias_act(y, bias) if self.activate else y + bias.view(1, -1, 1, 1)


class ModulatedConv2d(nn.Module):
    """A convolution whose input channels are scaled by a style, and whose output is brought back to unit variance.

    The official form builds one kernel for every sample and needs a grouped convolution. Scaling the activations
    before, and dividing by the same norm after, one shared convolution is the same function (CVPR 2020,
    equations 1 and 3, and appendix B), and much faster on a CPU.

    Args:
        in_channels, out_channels, kernel: as for any convolution; the size is kept.
        style_width: width of the code w.
        demodulate: divide by the norm of the modulated kernel (equation 3).
        upsample: double the size first.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        style_width: int,
        demodulate: bool = True,
        upsample: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, kernel, kernel))
        self.style = EqualizedLinear(style_width, in_channels, bias=1.0)
        self.scale = 1.0 / math.sqrt(in_channels * kernel * kernel)
        self.padding = (kernel - 1) // 2
        self.demodulate = demodulate
        self.upsample = upsample

    def convolve(self, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """[N, out, H, W] (or 2H, 2W), not demodulated, from features [N, in, H, W] and `style(w)` [N, in]."""
        y = F.conv2d(x * style[:, :, None, None], self.weight * self.scale, padding=self.padding)
        return upsample2d(y) if self.upsample else y

    def demodulation(self, style: torch.Tensor) -> torch.Tensor:
        """[N, out]: by what the convolution is multiplied; doubling the size first makes no difference."""
        power = self.weight.square().sum(dim=(2, 3)) * self.scale**2
        return (style.square() @ power.T + 1e-8).rsqrt()

    def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """[N, out, H, W] (or 2H, 2W) from features [N, in, H, W] and codes w [N, style_width]."""
        style = self.style(w)
        y = self.convolve(x, style)
        return y * self.demodulation(style)[:, :, None, None] if self.demodulate else y
