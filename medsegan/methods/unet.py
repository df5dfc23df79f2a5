"""A supervised 2D U-Net on the labelled cases alone: the yardstick of everything else.

Network: MONAI's residual U-Net. Loss: cross-entropy and Dice. Augmentation: after nnU-Net (Isensee et al., Nature
Methods 2021, supplement 4): affine, noise, blur, brightness, contrast, gamma; no mirror images, since left and
right are different labels, and no random intensity curves, which would be another method.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ..data import AffineRange, LabeledSlices, random_affine, warp
from ..models import ObjectiveName, Prediction
from ..training.config import UnetConfig
from ..training.losses import cross_entropy, dice_loss

LIMITS = AffineRange(rotation_deg=15.0, scale=1.25, stretch=1.15, shift=0.08)
CHUNK = 64


def build_unet(config: UnetConfig, n_classes: int) -> nn.Module:
    """MONAI's 2D residual U-Net for grey images."""
    from monai.networks.nets.unet import UNet

    return UNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=n_classes,
        channels=config.channels,
        strides=(2,) * (len(config.channels) - 1),
        num_res_units=2,
        norm="INSTANCE",
    )


class UnetStage(nn.Module):
    """Everything that the training of the U-Net changes.

    Args:
        config: see `UnetConfig`.
        labeled: the labelled slices; nothing else is ever seen.
    """

    name = "unet"

    def __init__(self, config: UnetConfig, labeled: LabeledSlices) -> None:
        super().__init__()
        self.config, self.labeled, self.batch = config, labeled, config.batch
        self.network = build_unet(config, labeled.n_classes).to(labeled.images.device)
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "unet": torch.optim.AdamW(
                self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
            )
        }

    def step(self, nimg: int, progress: float) -> dict[str, float]:
        """Train on one batch; the rate falls along a cosine with the progress 0..1."""
        del nimg
        rate = self.config.learning_rate * (1 + math.cos(math.pi * progress)) / 2
        self.optimizers["unet"].param_groups[0]["lr"] = max(rate, 1e-6)
        images, labels = self.labeled.draw(self.batch)
        theta = random_affine(self.batch, LIMITS, images.device)
        images, labels = augment_intensity(warp(images, theta)), warp(labels, theta)
        logits = self.network(images)
        entropy, dice = cross_entropy(logits, labels), dice_loss(logits.softmax(dim=1), labels)
        self.optimizers["unet"].zero_grad(set_to_none=True)
        (entropy + dice).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizers["unet"].step()
        return {"cross_entropy": entropy.item(), "dice": dice.item()}


def augment_intensity(image: torch.Tensor) -> torch.Tensor:
    """Images [N, 1, H, W] with noise, blur, brightness, contrast and gamma at nnU-Net's probabilities."""
    count, device = image.shape[0], image.device

    def acts(probability: float) -> torch.Tensor:
        return torch.rand(count, 1, 1, 1, device=device) < probability

    def uniform(low: float, high: float) -> torch.Tensor:
        return torch.rand(count, 1, 1, 1, device=device) * (high - low) + low

    y = torch.where(acts(0.15), image + torch.randn_like(image) * uniform(0.0, 0.2), image)
    blurred = F.avg_pool2d(F.pad(y, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    y = torch.where(acts(0.15), torch.lerp(y, blurred, uniform(0.3, 1.0)), y)
    y = torch.where(acts(0.15), (y + 1) * uniform(0.75, 1.25) - 1, y)
    mean = y.mean(dim=(1, 2, 3), keepdim=True)
    y = torch.where(acts(0.15), (y - mean) * uniform(0.75, 1.25) + mean, y)
    unit = ((y + 1) / 2).clamp(1e-4, 1.0)
    return torch.where(acts(0.3), unit ** uniform(0.7, 1.5) * 2 - 1, y)


class UnetPredictor(nn.Module):
    """A trained U-Net as a predictor of labels."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    @torch.no_grad()
    def predict(
        self,
        images: torch.Tensor,
        *,
        steps: int,
        seen_modality: bool,
        on_progress: Callable[[int], None],
        objective: ObjectiveName = "auto",
    ) -> Prediction:
        """The labels of all slices of one scan; there is nothing to optimise and nothing reconstructed."""
        del steps, seen_modality, objective
        parts: list[Any] = []
        for chunk in images.split(CHUNK):
            parts.append(self.network(chunk).softmax(dim=1).float().cpu())
            on_progress(sum(part.shape[0] for part in parts))
        return Prediction(torch.cat(parts))
