"""The two critics: one judges images, one judges images together with their labels.

Source: Li et al., CVPR 2021, section 3.1 (D_r and D_m). D_r is the residual discriminator of Karras et al.,
CVPR 2020; D_m judges patches at several scales, as Wang et al., "pix2pixHD", CVPR 2018, section 3.2.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..ops import downsample2d
from .generator import Shape
from .layers import EqualizedConv2d, EqualizedLinear

GROUP = 4


class ResidualBlock(nn.Module):
    """Two convolutions and a halving beside a 1x1 skip path; the sum keeps the variance."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = EqualizedConv2d(in_channels, in_channels, 3)
        self.second = EqualizedConv2d(in_channels, out_channels, 3)
        self.skip = EqualizedConv2d(in_channels, out_channels, 1, activate=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, out, H/2, W/2] from [N, in, H, W]."""
        y = self.second(downsample2d(self.first(x)))
        return (y + self.skip(downsample2d(x))) / math.sqrt(2.0)


def minibatch_deviation(x: torch.Tensor) -> torch.Tensor:
    """[N, C + 1, H, W]: x with one more map, the mean standard deviation inside groups of four samples.

    Source: Karras et al., ICLR 2018, section 3.
    """
    n, _, h, w = x.shape
    group = math.gcd(n, GROUP)
    grouped = x.reshape(group, n // group, -1)
    deviation = (grouped.var(dim=0, unbiased=False) + 1e-8).sqrt().mean(dim=1)
    return torch.cat([x, deviation.repeat(group).view(n, 1, 1, 1).expand(n, 1, h, w)], dim=1)


class ImageCritic(nn.Module):
    """One logit for every image; its features also serve as the perceptual distance of encoder and inversion."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.entry = EqualizedConv2d(shape.image_channels, shape.channels(shape.size), 1)
        down = [r for r in reversed(shape.resolutions) if r > 4]
        self.blocks = nn.ModuleList(ResidualBlock(shape.channels(r), shape.channels(r // 2)) for r in down)
        channels = shape.channels(4)
        self.last = EqualizedConv2d(channels + 1, channels, 3)
        self.hidden = EqualizedLinear(channels * 16, channels, activate=True)
        self.logit = EqualizedLinear(channels, 1)

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Feature maps after the entry and after every block, from fine to coarse."""
        x = self.entry(image.contiguous(memory_format=torch.channels_last))
        maps = [x]
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """[N] logits of images [N, C, H, W]."""
        x = minibatch_deviation(self.features(image)[-1])
        return self.logit(self.hidden(self.last(x).flatten(1)))[:, 0]


class PatchCritic(nn.Module):
    """Logits of overlapping patches at one scale, with the feature maps on the way."""

    def __init__(self, in_channels: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [min(width * 2**i, width * 4) for i in range(depth)]
        self.layers = nn.ModuleList(
            EqualizedConv2d(before, after, 3, stride=2 if i > 0 else 1)
            for i, (before, after) in enumerate(zip([in_channels, *widths], widths, strict=False))
        )
        self.logit = EqualizedConv2d(widths[-1], 1, 3, activate=False)

    def forward(self, pair: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """[N, 1, h, w] logits and the features of every layer of a stacked pair [N, C + K, H, W]."""
        maps = []
        x = pair
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return self.logit(x), maps


class JointCritic(nn.Module):
    """Patch critics on (image, label) at several scales; the coarse ones see whole organs.

    Args:
        shape: sizes; the number of scales is 3, or fewer where the coarsest would be under 8 pixels.
        width: feature maps of the first layer.
        depth: layers of each scale.
    """

    def __init__(self, shape: Shape, width: int, depth: int = 4) -> None:
        super().__init__()
        scales = min(3, shape.size.bit_length() - 3)
        channels = shape.image_channels + shape.n_classes
        self.scales = nn.ModuleList(PatchCritic(channels, width, depth) for _ in range(scales))

    def forward(self, image: torch.Tensor, label: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Logits of all patches, [N, P] for every scale, and all feature maps.

        Args:
            image: [N, C, H, W] in [-1, 1].
            label: [N, K, H, W] class probabilities (one-hot if real), scaled to [-1, 1].
        """
        pair = torch.cat([image, label], dim=1).contiguous(memory_format=torch.channels_last)
        logits, maps = [], []
        for i, critic in enumerate(self.scales):
            if i > 0:
                pair = F.avg_pool2d(pair, 3, stride=2, padding=1, count_include_pad=False)
            patches, features = critic(pair)
            logits.append(patches.flatten(1))
            maps.extend(features)
        return logits, maps
