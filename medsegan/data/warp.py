"""Random affine maps of the image plane, applied equally to images and to one-hot labels."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class AffineRange:
    """How far a random affine map may go.

    Args:
        rotation_deg: largest angle to either side.
        scale: largest factor, and its inverse the smallest; 1 leaves the size.
        stretch: the same for the ratio of width to height.
        shift: largest shift to either side as a fraction of the side.
    """

    rotation_deg: float = 15.0
    scale: float = 1.2
    stretch: float = 1.1
    shift: float = 0.1


def random_affine(count: int, limits: AffineRange, device: torch.device) -> torch.Tensor:
    """[count, 2, 3] maps from output to input positions in [-1, 1], each parameter uniform inside its limits.

    No mirror images: left and right are different labels.
    """
    u = torch.rand(5, count, device=device) * 2 - 1
    angle = u[0] * torch.deg2rad(torch.tensor(limits.rotation_deg, device=device))
    scale = limits.scale ** u[1]
    stretch = limits.stretch ** (u[2] / 2)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [
        torch.stack([cos * stretch, -sin / stretch, 2 * limits.shift * u[3]], dim=-1),
        torch.stack([sin * stretch, cos / stretch, 2 * limits.shift * u[4]], dim=-1),
    ]
    return torch.stack(rows, dim=1)


def warp(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """[N, C, H, W] resampled bilinearly through [N, 2, 3] maps; the edge is continued outwards."""
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
