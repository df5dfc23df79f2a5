"""LPIPS with weights that the user has: VGG-16 features, weighted per channel. Nothing is ever downloaded.

Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
equation 1; Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015, configuration D.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ..errors import InputError, ModelError

STAGES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
"""Indices of the convolutions in `features` of the usual VGG-16 checkpoints, by stage; pooling lies between."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Lpips(nn.Module):
    """Perceptual distance of images by the features of a VGG-16.

    Args:
        path: safetensors file with `features.<i>.weight` and `.bias` of VGG-16, and optionally `lin<k>.weight`
            [1, C, 1, 1] of LPIPS for its five stages; without them all channels count the same.

    Raises:
        InputError: there is no such file.
        ModelError: it is no safetensors file, or lacks a tensor.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        if not path.is_file():
            raise InputError(f"encoder.perceptual_file: there is no file {path}")
        try:
            self.tensors = load_file(path)
        except SafetensorError as error:
            raise ModelError(
                f"{path} is no safetensors file ({error}); convert the weights, pickles are refused"
            ) from error
        needed = [f"features.{i}.{kind}" for stage in STAGES for i in stage for kind in ("weight", "bias")]
        missing = [name for name in needed if name not in self.tensors]
        if missing:
            raise ModelError(f"{path} lacks {missing[0]} and {len(missing) - 1} more tensors of VGG-16")

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The last feature map of each stage that the image is large enough for; grey images become RGB."""
        mean, deviation = (torch.tensor(v, device=image.device).view(1, 3, 1, 1) for v in (MEAN, DEVIATION))
        x = ((image.expand(-1, 3, -1, -1) + 1) / 2 - mean) / deviation
        maps: list[torch.Tensor] = []
        for stage in STAGES:
            if maps:
                if min(x.shape[-2:]) < 2:
                    break
                x = F.max_pool2d(x, 2)
            for i in stage:
                weight, bias = (
                    self.tensors[f"features.{i}.{kind}"].to(image.device) for kind in ("weight", "bias")
                )
                x = F.relu(F.conv2d(x, weight, bias, padding=1))
            maps.append(x)
        return maps

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """[N] distances of two batches [N, C, H, W] in [-1, 1]; gradients reach the first alone."""
        total = one.new_zeros(one.shape[0])
        with torch.no_grad():
            target = self.features(other)
        for k, (a, b) in enumerate(zip(self.features(one), target, strict=True)):
            gap = (F.normalize(a, dim=1, eps=1e-10) - F.normalize(b, dim=1, eps=1e-10)).square()
            weight = self.tensors.get(f"lin{k}.weight")
            weighted = gap if weight is None else gap * weight.to(gap.device)
            total = total + weighted.sum(dim=1).mean(dim=(1, 2))
        return total
