"""Random appearance: the same anatomy as another scanner or modality might show it.

Source: the idea is that of Ouyang et al., "Causality-Inspired Single-Source Domain Generalization for Medical
Image Segmentation" (GIN), TMI 2022, and of Su et al. (SLAug), AAAI 2023; here in its simplest form, one random
smooth curve of the intensities per image, a smooth bias field, blur and noise.
"""

import torch
import torch.nn.functional as F

BACKGROUND = -0.97
KNOTS = 7


def randomize_appearance(image: torch.Tensor, probability: float = 0.8) -> torch.Tensor:
    """Images in [-1, 1] with random intensity curves, bias field, blur and noise; air stays air.

    Args:
        image: [N, 1, H, W] in [-1, 1]; -1 is air.
        probability: chance of each sample to be changed by each operation.
    """
    count, device = image.shape[0], image.device
    acts = torch.rand(4, count, 1, 1, 1, device=device) < probability
    body = ((image - BACKGROUND) / 0.1).clamp(0.0, 1.0)
    y = torch.where(acts[0], random_curve(image), image)
    y = torch.where(acts[1], (y + 1) * _bias_field(image) - 1, y)
    y = torch.where(acts[2] & (torch.rand_like(acts[2].float()) < 0.4), F.avg_pool2d(_pad(y), 3, stride=1), y)
    noise = torch.randn_like(image) * 0.1 * torch.rand(count, 1, 1, 1, device=device)
    y = torch.where(acts[3], y + noise, y)
    return (body * y - (1 - body)).clamp(-1.0, 1.0)


def random_curve(image: torch.Tensor) -> torch.Tensor:
    """Images through one random continuous curve each, neither monotone nor one-to-one.

    The curve runs linearly between knots that are evenly spaced over [-1, 1] with heights uniform in [-0.9, 1].
    """
    count, device = image.shape[0], image.device
    heights = torch.rand(count, KNOTS, device=device) * 1.9 - 0.9
    position = (image.flatten(1) + 1) * 0.5 * (KNOTS - 1)
    left = position.floor().clamp(0, KNOTS - 2).long()
    part = position - left
    low, high = heights.gather(1, left), heights.gather(1, left + 1)
    return (low + (high - low) * part).view_as(image)


def _bias_field(image: torch.Tensor) -> torch.Tensor:
    """[N, 1, H, W] smooth factors around 1, between about 0.6 and 1.5."""
    coarse = torch.rand(image.shape[0], 1, 3, 3, device=image.device) * 0.8 - 0.4
    return F.interpolate(coarse, size=image.shape[-2:], mode="bicubic", align_corners=True).exp()


def _pad(image: torch.Tensor) -> torch.Tensor:
    return F.pad(image, (1, 1, 1, 1), mode="replicate")
