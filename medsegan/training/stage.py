"""What the training loop needs to know of a stage, whatever it trains."""

from typing import Protocol

import torch


class Stage(Protocol):
    """One stage of a training: a GAN, an encoder, a U-Net."""

    name: str
    batch: int
    optimizers: dict[str, torch.optim.Optimizer]

    def step(self, nimg: int, progress: float) -> dict[str, float]:
        """Train on one batch of `batch` images; returns the figures to log."""
        ...

    def state_dict(self) -> dict[str, torch.Tensor]:
        """All tensors that training changes, other than those of the optimisers."""
        ...

    def load_state_dict(self, state_dict: dict[str, torch.Tensor]) -> object:
        """Take over what `state_dict` gave."""
        ...
