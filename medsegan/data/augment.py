"""Augmentation of what the critics see: the same geometry for image and label, intensity on the image alone.

Source: Karras et al., "Training Generative Adversarial Networks with Limited Data" (ADA), NeurIPS 2020, section 2.
Mirror images and quarter turns are left out because a patient has a left and a right side.
"""

import torch

from .warp import AffineRange, random_affine, warp

LIMITS = AffineRange(rotation_deg=30.0, scale=1.3, stretch=1.2, shift=0.125)
BRIGHTNESS, CONTRAST, NOISE = 0.2, 1.5, 0.1


def augment_pair(
    image: torch.Tensor, label: torch.Tensor | None, probability: float
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Augmented images and labels; each operation acts on each sample with the given probability.

    Args:
        image: [N, C, H, W] in [-1, 1].
        label: [N, K, H, W] class probabilities, or None.
        probability: 0 returns the very tensors that came in.
    """
    if probability <= 0:
        return image, label
    count, device = image.shape[0], image.device
    is_warped = torch.rand(count, device=device) < probability
    identity = torch.eye(2, 3, device=device).expand(count, 2, 3)
    theta = torch.where(is_warped[:, None, None], random_affine(count, LIMITS, device), identity)
    warped = warp(image if label is None else torch.cat([image, label], dim=1), theta)
    channels = image.shape[1]
    new_image = torch.where(is_warped[:, None, None, None], warped[:, :channels], image)
    if label is not None:
        label = torch.where(is_warped[:, None, None, None], warped[:, channels:], label)
    return _augment_intensity(new_image, probability), label


def _augment_intensity(image: torch.Tensor, probability: float) -> torch.Tensor:
    """Random contrast about the darkest value, brightness and noise."""
    count, device = image.shape[0], image.device
    acts = (torch.rand(3, count, 1, 1, 1, device=device) < probability).float()
    draws = torch.rand(2, count, 1, 1, 1, device=device) * 2 - 1
    contrast = CONTRAST ** (draws[0] * acts[0])
    brightness = BRIGHTNESS * draws[1] * acts[1]
    noise = NOISE * torch.randn_like(image) * acts[2] * torch.rand(count, 1, 1, 1, device=device)
    return (image + 1) * contrast - 1 + brightness + noise
