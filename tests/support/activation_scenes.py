"""Feature maps and their companions whose activation is the same side of every kink in every dtype.

All values are quarters and the bias is an odd sixteenth: sums are exact in half precision, never zero, and far
from the clamp, so that gradients can be compared without exceptions for values at a kink.
"""

import torch

from medsegan.ops.activation import GAIN, SLOPE

CLAMP = 1.1
# One pixel, no spatial axes, odd sizes, vectors of full length, several blocks of places and of channels, empty.
SHAPES = (
    (1, 1, 1, 1),
    (4, 3),
    (2, 3, 5),
    (2, 5, 7, 3),
    (2, 16, 4, 8),
    (1, 2, 3, 4, 5),
    (2, 3, 40, 60),
    (1, 1500, 5, 6),
    (0, 3, 4, 4),
    (2, 0, 4, 4),
    (2, 3, 0, 4),
    (0, 4),
)


def quarters(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Multiples of 1/4 in [-4, 4], float64."""
    return torch.randint(-16, 17, shape, generator=torch.Generator().manual_seed(seed)).double() / 4


def bias_values(channels: int) -> torch.Tensor:
    """[C] odd sixteenths in (-1, 1), float64."""
    return torch.randint(-8, 8, (channels,), generator=torch.Generator().manual_seed(1)).double() / 8 + 1 / 16


def scale_values(shape: tuple[int, ...]) -> torch.Tensor:
    """[N, C] of 0.5, 1 and 2, float64."""
    return 2.0 ** torch.randint(-1, 2, shape[:2], generator=torch.Generator().manual_seed(2)).double()


def in_order(x: torch.Tensor, order: str) -> torch.Tensor:
    """The same values contiguous, channels-last (where there are four axes) or with axes permuted in memory."""
    if order == "channels_last" and x.ndim == 4:
        return x.contiguous(memory_format=torch.channels_last)
    return x.transpose(0, -1).contiguous().transpose(0, -1) if order == "permuted" else x.contiguous()


def act(u: torch.Tensor, slope: float = SLOPE, gain: float = GAIN, clamp: float | None = None) -> torch.Tensor:
    """The activation, said in another way than by the operators."""
    y = gain * (u.clamp(min=0) + slope * u.clamp(max=0))
    return y if clamp is None else torch.where(y.abs() < clamp, y, clamp * y.detach().sign())


def along(values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """[C] or [N, C] values against the axes of x."""
    return values[(..., *[None] * (x.ndim - 2))]
