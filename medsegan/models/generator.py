"""The joint generator: one trunk, one head for the image and one for the label, at every resolution.

Source: Li et al., "Semantic Segmentation with Generative Models", CVPR 2021, section 3.1 and figure 2;
the trunk is that of Karras et al., CVPR 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ..ops import modulate_noise_act, upsample2d
from .layers import EqualizedLinear, ModulatedConv2d


@dataclass(frozen=True)
class Shape:
    """What decides the size of a generator.

    Args:
        size: pixels along one side of the square image, a power of two, at least 32.
        image_channels: 1 for grey images.
        n_classes: number of classes, background included.
        latent_width: width of z and w.
        mapping_layers: depth of the mapping network.
        channel_base, channel_max: a layer at resolution r has min(channel_base / r, channel_max) channels.
    """

    size: int
    image_channels: int
    n_classes: int
    latent_width: int
    mapping_layers: int
    channel_base: int
    channel_max: int

    def channels(self, resolution: int) -> int:
        """Feature maps of a layer at a resolution."""
        return max(1, min(self.channel_base // resolution, self.channel_max))

    @property
    def resolutions(self) -> tuple[int, ...]:
        """4, 8, ... up to the size."""
        return tuple(4 * 2**i for i in range(self.size.bit_length() - 2))

    @property
    def n_layers(self) -> int:
        """Number of codes in W+: one for each trunk convolution and one for the last pair of heads."""
        return 2 * len(self.resolutions)


class MappingNetwork(nn.Module):
    """w from z: normalised z through fully connected layers (CVPR 2020, appendix B; learning rate x 0.01)."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(EqualizedLinear(width, width, activate=True, rate=0.01) for _ in range(layers))
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """[N, W] from z [N, W]."""
        return self.layers(z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt())


class StyledConv(nn.Module):
    """A modulated 3x3 convolution, noise, bias and leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, style_width: int, upsample: bool) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, 3, style_width, upsample=upsample)
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: torch.Tensor, w: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """[N, out, H, W]; noise is [N, 1, H, W] at the output size, None draws it from N(0, 1)."""
        style = self.conv.style(w)
        y = self.conv.convolve(x, style)
        if noise is None:
            noise = torch.randn(y.shape[0], 1, *y.shape[2:], device=y.device, dtype=y.dtype)
        # Under autocast the convolution gives halves; what joins it takes their type.
        scale, scaled = self.conv.demodulation(style).to(y.dtype), (self.noise_strength * noise).to(y.dtype)
        return modulate_noise_act(y, scale, scaled, self.bias.to(y.dtype))


class Head(nn.Module):
    """A modulated 1x1 convolution without demodulation, and a bias: to the image or to the label logits."""

    def __init__(self, in_channels: int, out_channels: int, style_width: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, 1, style_width, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: torch.Tensor, w: torch.Tensor, skip: torch.Tensor | None) -> torch.Tensor:
        """[N, out, H, W]: what this resolution adds to the upsampled output of the one below."""
        y = self.conv(x, w) + self.bias.view(1, -1, 1, 1)
        return y if skip is None else y + upsample2d(skip)


@dataclass(frozen=True)
class Canvas:
    """What grows from resolution to resolution: features, image and label logits, each [N, ., H, W]."""

    features: torch.Tensor
    image: torch.Tensor | None = None
    logits: torch.Tensor | None = None


class Level(nn.Module):
    """One resolution of the trunk (two convolutions, one at 4x4) with its two heads."""

    def __init__(self, shape: Shape, resolution: int) -> None:
        super().__init__()
        channels, width = shape.channels(resolution), shape.latent_width
        entries = [] if resolution == 4 else [StyledConv(shape.channels(resolution // 2), channels, width, True)]
        self.convs = nn.ModuleList([*entries, StyledConv(channels, channels, width, upsample=False)])
        self.to_image = Head(channels, shape.image_channels, width)
        self.to_label = Head(channels, shape.n_classes, width)

    def forward(self, canvas: Canvas, codes: torch.Tensor, noise: Sequence[torch.Tensor] | None) -> Canvas:
        """The canvas at this resolution.

        Args:
            canvas: of the resolution below.
            codes: [N, convolutions + 1, W]; both heads take the last one, the style of the next layer, as the
                label branch of the paper does.
            noise: a map for each convolution, or None.
        """
        x = canvas.features
        for i, conv in enumerate(self.convs):
            x = conv(x, codes[:, i], None if noise is None else noise[i])
        style = codes[:, len(self.convs)]
        return Canvas(x, self.to_image(x, style, canvas.image), self.to_label(x, style, canvas.logits))


class Generator(nn.Module):
    """Images and label logits from codes.

    Args:
        shape: sizes; see `Shape`.
    """

    w_mean: torch.Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.mapping = MappingNetwork(shape.latent_width, shape.mapping_layers)
        self.constant = nn.Parameter(torch.randn(1, shape.channels(4), 4, 4))
        self.levels = nn.ModuleList(Level(shape, resolution) for resolution in shape.resolutions)
        self.register_buffer("w_mean", torch.zeros(shape.latent_width))

    def noise_shapes(self) -> list[tuple[int, int]]:
        """Height and width of the noise map of each trunk convolution, in order."""
        first, *rest = self.shape.resolutions
        return [(first, first)] + [(r, r) for r in rest for _ in range(2)]

    def broadcast(self, w: torch.Tensor) -> torch.Tensor:
        """w+ [N, L, W]: one code w [N, W] for all layers."""
        return w[:, None, :].expand(-1, self.shape.n_layers, -1)

    def mix(self, z: torch.Tensor, probability: float) -> torch.Tensor:
        """w+ [N, L, W] of latents z [N, W], with style mixing: fine layers from another sample.

        Source: Karras et al., CVPR 2019, section 3.1.
        """
        w = self.mapping(z)
        codes = self.broadcast(w)
        if probability <= 0:
            return codes
        count, layers = w.shape[0], self.shape.n_layers
        crossover = torch.randint(1, layers, (count, 1), device=z.device)
        mixed = torch.rand(count, 1, device=z.device) < probability
        is_other = (torch.arange(layers, device=z.device)[None, :] >= crossover) & mixed
        return torch.where(is_other[:, :, None], self.broadcast(w.roll(1, dims=0)), codes)

    def forward(
        self, codes: torch.Tensor, noise: Sequence[torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [N, C, H, W] and label logits [N, K, H, W].

        Args:
            codes: w+ [N, L, W].
            noise: one [N, 1, h, w] map for every trunk convolution (see `noise_shapes`); None draws fresh ones.
        """
        start = self.constant.expand(codes.shape[0], -1, -1, -1)
        canvas = Canvas(start.contiguous(memory_format=torch.channels_last))
        layer = 0
        for level in self.levels:
            count = 1 if layer == 0 else 2
            maps = None if noise is None else noise[layer : layer + count]
            canvas = level(canvas, codes[:, layer : layer + count + 1], maps)
            layer += count
        assert canvas.image is not None
        assert canvas.logits is not None
        return canvas.image, canvas.logits
