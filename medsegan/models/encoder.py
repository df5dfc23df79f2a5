"""The encoder: from an image to the code w+ that makes it.

Source: Li et al., CVPR 2021, section 3.2; the pyramid with one small head a layer follows Richardson et al.,
"Encoding in Style" (pSp), CVPR 2021, section 3, whose codes are offsets from the mean latent as ours are.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from .generator import Shape

GRID = 4


class EncoderBlock(nn.Module):
    """Two normalised convolutions with a skip path, halving the size."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.skip = nn.Conv2d(in_channels, out_channels, 1)
        self.norms = nn.ModuleList(nn.GroupNorm(min(8, out_channels // 4), out_channels) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, out, H/2, W/2] from [N, in, H, W]."""
        y = F.silu(self.norms[0](self.first(x)))
        y = self.norms[1](self.second(y))
        return F.silu(y + self.skip(F.avg_pool2d(x, 2)))


class StyleHead(nn.Module):
    """One code for one layer of the generator.

    Strided convolutions bring the features down to a fixed grid: that keeps where things are, to which averages
    are blind. A last pooling makes any input size fit.

    Args:
        channels: of the features.
        width: of the code.
        halvings: strided convolutions on the way to the grid.
    """

    def __init__(self, channels: int, width: int, halvings: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, stride=2, padding=1) for _ in range(halvings))
        self.linear = nn.Linear(channels * GRID * GRID, width)
        nn.init.zeros_(self.linear.bias)
        nn.init.normal_(self.linear.weight, std=1e-2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[N, W] from features [N, C, h, w]."""
        for conv in self.convs:
            x = F.silu(conv(x))
        return self.linear(F.adaptive_avg_pool2d(x, GRID).flatten(1))


class Encoder(nn.Module):
    """Codes w+ as offsets from the generator's mean latent.

    Args:
        shape: the generator's sizes.
        width: feature maps of the pyramid.
    """

    w_mean: torch.Tensor

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.entry = nn.Conv2d(shape.image_channels, width // 2, 3, padding=1)
        depth = len(shape.resolutions) - 1
        widths = [width // 2] + [width] * depth
        self.blocks = nn.ModuleList(EncoderBlock(a, b) for a, b in pairwise(widths))
        self.lateral = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(3))
        self.level_of_layer = [min(2, layer * 3 // shape.n_layers) for layer in range(shape.n_layers)]
        self.heads = nn.ModuleList(
            StyleHead(width, shape.latent_width, halvings=level) for level in self.level_of_layer
        )
        self.register_buffer("w_mean", torch.zeros(shape.latent_width))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """[N, L, W] from images [N, C, H, W] in [-1, 1]."""
        x = self.entry(image.contiguous(memory_format=torch.channels_last))
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        pyramid = self._pyramid(maps[-3:])
        codes = [head(pyramid[level]) for head, level in zip(self.heads, self.level_of_layer, strict=True)]
        return torch.stack(codes, dim=1) + self.w_mean

    def _pyramid(self, maps: list[torch.Tensor]) -> list[torch.Tensor]:
        """Three levels, coarse first, each with what the coarser ones know (feature pyramid network)."""
        levels: list[torch.Tensor] = []
        for lateral, features in zip(self.lateral, reversed(maps), strict=True):
            x = lateral(features)
            if levels:
                x = x + F.interpolate(levels[-1], size=x.shape[-2:], mode="nearest")
            levels.append(x)
        return levels
