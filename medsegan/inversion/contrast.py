"""A curve that takes the intensities of one image to those of another, fitted in closed form."""

from dataclasses import dataclass

import torch

KNOTS = 12
RIDGE = 1e-3


@dataclass(frozen=True)
class ContrastCurve:
    """A continuous piecewise linear map of [-1, 1], neither monotone nor one-to-one in general.

    Args:
        heights: [KNOTS] values at evenly spaced knots.
    """

    heights: torch.Tensor

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """The image, any shape, with its intensities mapped."""
        left, part = _place(image)
        return torch.lerp(self.heights[left], self.heights[left + 1], part)


def fit_contrast(source: torch.Tensor, target: torch.Tensor) -> ContrastCurve:
    """The curve that brings the source closest to the target in the least-squares sense, pixel by pixel.

    Knots that no pixel of the source reaches stay at the identity, through a small ridge.

    Args:
        source, target: images of one shape, in [-1, 1].
    """
    left, part = (x.flatten() for x in _place(source))
    identity = torch.linspace(-1.0, 1.0, KNOTS, device=source.device)
    normal = torch.zeros(KNOTS, KNOTS, device=source.device)
    right = torch.zeros(KNOTS, device=source.device)
    hats = ((left, 1.0 - part), (left + 1, part))
    for i, a in hats:
        right.index_add_(0, i, a * target.flatten())
        for j, b in hats:
            normal.view(-1).index_add_(0, i * KNOTS + j, a * b)
    ridge = RIDGE * source.numel() / KNOTS
    normal = normal + ridge * torch.eye(KNOTS, device=source.device)
    return ContrastCurve(torch.linalg.solve(normal, right + ridge * identity))


def _place(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Index of the knot to the left of every pixel, and how far it is on the way to the next."""
    position = (image.clamp(-1.0, 1.0) + 1.0) * 0.5 * (KNOTS - 1)
    left = position.floor().clamp(0, KNOTS - 2).long()
    return left, position - left
