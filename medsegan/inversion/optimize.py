"""Codes of a batch of slices, improved by gradient descent from the encoder's.

Source: Li et al., CVPR 2021, section 3.3, equations 6 and 7. Unlike there, codes are held near their start,
because the label gets worse while the image gets better, and the label is the mean over the later steps; and the
image may also be compared by structure alone, for scans of a contrast that the generator cannot make.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ..models import Generator
from ..ops import local_correlation, self_similarity

CORRELATION_RADIUS = 2
Distance = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Objective:
    """Weights of the parts, and the rate.

    Args:
        feature: perceptual distance of image and target.
        pixel: mean squared difference.
        correlation: local correlation distance, with windows of `CORRELATION_RADIUS`.
        context: distance of self-similarity contexts.
        prior: mean squared distance from the encoder's codes, in units of the codes' variance.
        noise: mean square of the noise maps.
        rate: of Adam for codes in units of the codes' standard deviation; it warms up over the first tenth of
            the steps and falls along a cosine over the last quarter.
    """

    feature: float = 1.0
    pixel: float = 1.0
    correlation: float = 0.0
    context: float = 0.0
    prior: float = 0.05
    noise: float = 0.01
    rate: float = 0.03


APPEARANCE = Objective()
STRUCTURE = Objective(feature=0.0, pixel=0.0, correlation=0.1, context=1.0)


@dataclass(frozen=True)
class Inverted:
    """What optimisation found: image [N, C, H, W] of the last step, mean class probabilities [N, K, H, W]."""

    images: torch.Tensor
    probabilities: torch.Tensor


def optimize(
    generator: Generator,
    distance: Distance,
    target: torch.Tensor,
    start: torch.Tensor,
    steps: int,
    scale: torch.Tensor,
    objective: Objective,
) -> Inverted:
    """The inversion of all slices of a batch at once.

    Args:
        generator: frozen.
        distance: perceptual distance of two batches, [N].
        target: [N, C, H, W] slices, in the generator's contrast if their appearance is compared.
        start: [N, L, W] the encoder's codes.
        steps: at least 1.
        scale: standard deviation of the latent distribution, a scalar.
        objective: weights.
    """
    offsets = torch.zeros_like(start, requires_grad=True)
    count = start.shape[0]
    noise = [
        torch.zeros(count, 1, h, w, device=start.device, requires_grad=True) for h, w in generator.noise_shapes()
    ]
    optimizer = torch.optim.Adam([offsets, *noise], lr=objective.rate, betas=(0.9, 0.99))
    total: torch.Tensor | None = None
    n_averaged = 0
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = objective.rate * _ramp(step, steps)
        images, logits = generator(start + offsets * scale, noise)
        loss = _loss(images, target, offsets, noise, distance, objective)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        optimizer.step()
        if step >= steps // 2:
            probabilities = logits.detach().softmax(dim=1)
            total = probabilities if total is None else total + probabilities
            n_averaged += 1
    assert total is not None
    return Inverted(images.detach(), total / n_averaged)


def _loss(
    images: torch.Tensor,
    target: torch.Tensor,
    offsets: torch.Tensor,
    noise: Sequence[torch.Tensor],
    distance: Distance,
    objective: Objective,
) -> torch.Tensor:
    """[N] objective of every slice; slices do not influence each other."""
    prior = offsets.square().mean(dim=(1, 2))
    roughness = torch.stack([n.square().mean(dim=(1, 2, 3)) for n in noise]).mean(dim=0)
    loss = objective.prior * prior + objective.noise * roughness
    parts: tuple[tuple[float, Distance], ...] = (
        (objective.feature, distance),
        (objective.pixel, _squared_difference),
        (objective.correlation, _correlation),
        (objective.context, self_similarity),
    )
    for weight, compare in parts:
        if weight > 0:
            loss = loss + weight * compare(images, target)
    return loss


def _squared_difference(images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (images - target).square().mean(dim=(1, 2, 3))


def _correlation(images: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return local_correlation(images, target, CORRELATION_RADIUS)


def _ramp(step: int, steps: int) -> float:
    """Factor of the rate: up over the first tenth, down over the last quarter."""
    position = (step + 0.5) / steps
    up = min(1.0, position / 0.1)
    down = min(1.0, (1.0 - position) / 0.25)
    return up * (0.5 - 0.5 * float(torch.cos(torch.tensor(torch.pi * down))))
