"""The encoder asked several times, about the same slices a little shifted.

A code cannot place an organ between pixels as finely as an image can show it; the mean over shifted views can.
"""

import torch
import torch.nn.functional as F

from ..models import Encoder, Generator

STEP = 0.022
SHIFTS = tuple((dx, dy) for dx in (-STEP, 0.0, STEP) for dy in (-STEP, 0.0, STEP))
"""As fractions of the slice's side."""


@torch.no_grad()
def probabilities_of_views(generator: Generator, encoder: Encoder, images: torch.Tensor) -> torch.Tensor:
    """[N, K, H, W] class probabilities, the mean over shifted views, each shifted back.

    Args:
        generator, encoder: frozen.
        images: [N, C, H, W] in [-1, 1].
    """
    noise = [torch.zeros(1, 1, h, w, device=images.device) for h, w in generator.noise_shapes()]
    total: torch.Tensor | None = None
    for dx, dy in SHIFTS:
        _, logits = generator(encoder(shift(images, dx, dy)), noise)
        view = shift(logits.softmax(dim=1), -dx, -dy)
        total = view if total is None else total + view
    assert total is not None
    return total / len(SHIFTS)


def shift(x: torch.Tensor, dx: float, dy: float) -> torch.Tensor:
    """[N, C, H, W] moved by fractions of its side to the left and upwards; the edge is continued."""
    if dx == 0 and dy == 0:
        return x
    count, _, height, width = x.shape
    theta = torch.tensor([[1.0, 0.0, 2 * dx], [0.0, 1.0, 2 * dy]], device=x.device).expand(count, 2, 3)
    grid = F.affine_grid(theta, [count, 1, height, width], align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
