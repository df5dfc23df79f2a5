"""The contrast-blind distances of an image batch and a target, against the same in plain torch, and MONAI's."""

import importlib.util
import sys
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F

from medsegan.ops import local_correlation, self_similarity

from ..timing import Case

SHAPES = ((16, 1, 128, 128), (8, 1, 256, 256))
RADIUS, PATCH, FLAT = 4, 1, 1e-4

Distance = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def plain_correlation(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    def mean(y: torch.Tensor) -> torch.Tensor:
        return F.avg_pool2d(y, 2 * RADIUS + 1, 1, RADIUS, count_include_pad=False)

    mean_x, mean_target = mean(x), mean(target)
    covariance = mean(x * target) - mean_x * mean_target
    variance = (mean(x * x) - mean_x.square()).clamp_min(FLAT)
    variance_target = mean(target * target) - mean_target.square()
    distance = 1 - covariance.square() / (variance * variance_target.clamp_min(FLAT))
    return (distance * (variance_target > FLAT)).mean(dim=(1, 2, 3))


def plain_context(image: torch.Tensor) -> torch.Tensor:
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    up, down = padded[..., :-2, 1:-1], padded[..., 2:, 1:-1]
    left, right = padded[..., 1:-1, :-2], padded[..., 1:-1, 2:]
    squares = torch.cat([up - right, right - down, down - left, left - up], dim=1).square()
    distances = F.avg_pool2d(squares, 2 * PATCH + 1, 1, PATCH, count_include_pad=False)
    return torch.exp(-distances / distances.mean(dim=1, keepdim=True).clamp_min(FLAT))


def plain_similarity(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (plain_context(x) - plain_context(target)).square().mean(dim=(1, 2, 3))


def with_monai() -> dict[str, Distance]:
    """MONAI's, if installed; it differs at the edges (zeros count as pixels there), in flat windows, and by 1."""
    if importlib.util.find_spec("monai") is None:
        print("local_similarity: monai is not installed and left out", file=sys.stderr)
        return {}
    from monai.losses import LocalNormalizedCrossCorrelationLoss

    loss = LocalNormalizedCrossCorrelationLoss(2, 2 * RADIUS + 1, reduction="none")
    return {"MONAI LNCC": lambda x, target: loss(x, target).mean(dim=(1, 2, 3))}


def cases(device: str) -> Iterator[Case]:
    contests: dict[str, tuple[Distance, dict[str, Distance]]] = {
        f"local_correlation, radius {RADIUS}": (
            lambda x, target: local_correlation(x, target, RADIUS, FLAT),
            {"plain torch (avg_pool2d)": plain_correlation, **with_monai()},
        ),
        f"self_similarity, radius {PATCH}": (
            lambda x, target: self_similarity(x, target, PATCH, 1, FLAT),
            {"plain torch (avg_pool2d)": plain_similarity},
        ),
    }
    for shape in SHAPES:
        x = torch.rand(shape, device=device, requires_grad=True)
        target, gradient = torch.rand(shape, device=device), torch.ones(shape[0], device=device)

        def forward(distance: Distance, x=x, target=target) -> object:
            return distance(x.detach(), target)

        def both(distance: Distance, x=x, target=target, gradient=gradient) -> object:
            return torch.autograd.grad(distance(x, target), x, gradient)

        for name, (ours, rivals) in contests.items():
            for what, work in (("forward", forward), ("forward and backward", both)):
                yield Case(
                    f"{name}, {list(shape)}, {what}",
                    lambda w=work, f=ours: w(f),
                    {rival: lambda w=work, f=f: w(f) for rival, f in rivals.items()},
                    repeats=7,
                )
