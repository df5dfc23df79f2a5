"""How strongly a critic's inputs are augmented, driven by the critic's own overfitting.

Source: Karras et al., "Training Generative Adversarial Networks with Limited Data", NeurIPS 2020, section 3.1:
r_t = E[sign(D(real))] is held at a target by moving the probability p of every augmentation.
"""

import torch
from torch import nn

LIMIT = 0.9


class AugmentControl(nn.Module):
    """The probability p as a part of the training state.

    Args:
        start: first value of p.
        target: value of r_t to hold.
        images: images over which p may rise from 0 to 1.
    """

    state: torch.Tensor

    def __init__(self, start: float, target: float, images: int) -> None:
        super().__init__()
        self.target, self.images = target, images
        self.register_buffer("state", torch.tensor(start))

    @property
    def probability(self) -> float:
        """The present p, between 0 and 0.9: at 1 the generator would learn the augmented images."""
        return float(self.state)

    def observe(self, logits: torch.Tensor) -> None:
        """Move p after a critic gave its logits [N] for real samples."""
        direction = torch.sign(logits.sign().mean() - self.target)
        self.state.add_(direction * logits.shape[0] / self.images).clamp_(0.0, LIMIT)
