"""A perceptual distance that needs no download: features of the trained image critic."""

import torch
from torch import nn

from ..models import ImageCritic
from .losses import perceptual_distance


class Perceptual(nn.Module):
    """Distance of images in the feature space of a frozen image critic.

    Args:
        critic: a trained image critic.
    """

    def __init__(self, critic: ImageCritic) -> None:
        super().__init__()
        self.critic = critic.requires_grad_(False)

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """[N] distances of two batches [N, C, H, W] in [-1, 1]; gradients reach the first alone."""
        with torch.no_grad():
            target = self.critic.features(other)
        return perceptual_distance(self.critic.features(one), target)
