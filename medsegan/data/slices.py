"""Slices that live on the device for the whole of a training.

The unlabelled type has no label field at all: a label that leaks into unsupervised training is a type error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..errors import DataError

if TYPE_CHECKING:
    from ..slices import SliceStore


@dataclass(frozen=True)
class UnlabeledSlices:
    """Images without labels.

    Args:
        images: [N, 1, H, W] stored intensities, int16.
        window: stored intensities that become -1 and 1.
    """

    images: torch.Tensor
    window: tuple[float, float]

    def __len__(self) -> int:
        """Number of slices."""
        return self.images.shape[0]

    def draw(self, count: int) -> torch.Tensor:
        """[count, 1, H, W] images in [-1, 1], drawn with replacement from the default random state."""
        index = torch.randint(len(self), (count,), device=self.images.device)
        return unit_range(self.images[index], self.window)


@dataclass(frozen=True)
class LabeledSlices:
    """Images with labels.

    Args:
        images: [N, 1, H, W] stored intensities, int16.
        labels: [N, H, W] class indices, uint8.
        n_classes: number of classes, background included.
        window: stored intensities that become -1 and 1.
    """

    images: torch.Tensor
    labels: torch.Tensor
    n_classes: int
    window: tuple[float, float]

    def __len__(self) -> int:
        """Number of slices."""
        return self.images.shape[0]

    def draw(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """[count, 1, H, W] images in [-1, 1] and their [count, K, H, W] one-hot labels, with replacement."""
        index = torch.randint(len(self), (count,), device=self.images.device)
        one_hot = torch.nn.functional.one_hot(self.labels[index].long(), self.n_classes)
        return unit_range(self.images[index], self.window), one_hot.permute(0, 3, 1, 2).float()


def unit_range(stored: torch.Tensor, window: tuple[float, float]) -> torch.Tensor:
    """Intensities in [-1, 1] from stored ones: the window's ends become -1 and 1, the rest is clipped."""
    low, high = window
    return ((stored.float() - low) * (2.0 / (high - low)) - 1.0).clamp(-1.0, 1.0)


def load_unlabeled(store: SliceStore, case_ids: Sequence[str], device: torch.device) -> UnlabeledSlices:
    """All slices of some cases, without ever opening a label file."""
    images = np.concatenate([np.asarray(store.read_images(case_id)) for case_id in case_ids])
    return UnlabeledSlices(torch.from_numpy(images)[:, None].to(device), store.manifest.window)


def load_labeled(store: SliceStore, case_ids: Sequence[str], device: torch.device) -> LabeledSlices:
    """All slices of some labelled cases.

    Raises:
        DataError: a label file holds a class that the store does not know.
    """
    unlabeled = load_unlabeled(store, case_ids, device)
    labels = np.concatenate([np.asarray(store.read_labels(case_id)) for case_id in case_ids])
    n_classes = len(store.manifest.class_names)
    if labels.max() >= n_classes:
        raise DataError(
            f"a label file of {store.manifest.domain} holds class {labels.max()}, known are 0..{n_classes - 1}; "
            "prepare the domain again"
        )
    return LabeledSlices(unlabeled.images, torch.from_numpy(labels).to(device), n_classes, unlabeled.window)
