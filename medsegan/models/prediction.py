"""What every trained model gives for a batch of slices, whatever the method."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch

ObjectiveName = Literal["auto", "appearance", "structure"]
"""What optimisation holds against a scan: intensities, the structure whatever the contrast, or what is better."""


@dataclass(frozen=True)
class Prediction:
    """Labels of a stack of slices.

    Args:
        probabilities: [N, K, H, W] class probabilities, float32 on the CPU; class 0 is background.
        reconstruction: [N, C, H, W] what the generative model made of the slices, in the contrast of the slices
            where it was fitted to them; None for methods that reconstruct nothing.
    """

    probabilities: torch.Tensor
    reconstruction: torch.Tensor | None = None


class Predictor(Protocol):
    """A trained model that labels slices."""

    def predict(
        self,
        images: torch.Tensor,
        *,
        steps: int,
        seen_modality: bool,
        on_progress: Callable[[int], None],
        objective: ObjectiveName = "auto",
    ) -> Prediction:
        """The prediction for all slices of one scan.

        Args:
            images: [N, C, H, W] in [-1, 1], at the model's size.
            steps: optimisation steps after the first estimate; methods without optimisation ignore it.
            seen_modality: whether the model was trained on scans of this modality.
            on_progress: called with the number of slices that are done.
            objective: of the optimisation; methods without optimisation ignore it.
        """
        ...
