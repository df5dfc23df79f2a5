"""Counts of five classes in 512 x 512 x 160, against the same counts by numpy and by plain torch."""

from collections.abc import Iterator

import numpy as np
import torch

from medsegan.ops import confusion

from ..timing import Case
from .surface_distances import LABELS, scene

N_CLASSES = len(LABELS) + 1


def with_numpy() -> np.ndarray:
    prediction, reference = scene()
    cells = reference.ravel() * np.int64(N_CLASSES) + prediction.ravel()
    return np.bincount(cells, minlength=N_CLASSES**2).reshape(N_CLASSES, N_CLASSES)


def with_torch(prediction: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    cells = reference.flatten() * N_CLASSES + prediction.flatten()  # in bytes: 24 is the largest
    return torch.bincount(cells, minlength=N_CLASSES**2).view(N_CLASSES, N_CLASSES)


def cases(device: str) -> Iterator[Case]:
    volumes = [torch.from_numpy(volume).to(device) for volume in scene()]
    size = 2 * volumes[0].numel()
    yield Case(
        "confusion of 5 classes, 512x512x160",
        lambda: confusion(*volumes, N_CLASSES),
        {"numpy.bincount": with_numpy, "torch.bincount": lambda: with_torch(*volumes)},
        {"numpy.bincount": 5.0},
        3,
        moved_bytes=size,
    )
