"""The second stage: an encoder that inverts the frozen generator.

Source: Li et al., CVPR 2021, section 3.2, equations 4 and 5: labelled images teach through the label head, all
images through their reconstruction. Added to the paper: generated pairs, whose code and label are known, and
random appearance of every input, while the target keeps the appearance that the generator can make.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn

from ..data import AffineRange, LabeledSlices, UnlabeledSlices, random_affine, randomize_appearance, warp
from ..models import Encoder, Generator
from . import losses
from .config import EncoderConfig
from .lpips import Lpips
from .perceptual import Perceptual

Figures = dict[str, float]
LIMITS = AffineRange(rotation_deg=10.0, scale=1.15, stretch=1.1, shift=0.06)


@dataclass(frozen=True)
class Lesson:
    """What the encoder is shown and what should come out.

    Args:
        images: [N, C, H, W] targets of the reconstruction, in the generator's own contrast.
        labels: [M, K, H, W] class probabilities of the first M images; the others have none.
        codes: [G, L, W] known codes of the first G images.
    """

    images: torch.Tensor
    labels: torch.Tensor
    codes: torch.Tensor


class EncoderStage(nn.Module):
    """Everything that the second stage changes: the encoder and its optimiser.

    Args:
        generator: the averaged generator; frozen.
        perceptual: frozen feature distance.
        config: see `EncoderConfig`.
        labeled, unlabeled: slices as in the first stage.
    """

    name = "encoder"

    def __init__(
        self,
        generator: Generator,
        perceptual: Perceptual | Lpips,
        config: EncoderConfig,
        labeled: LabeledSlices,
        unlabeled: UnlabeledSlices,
    ) -> None:
        super().__init__()
        self.config, self.batch = config, config.batch
        self.labeled, self.unlabeled = labeled, unlabeled
        self.encoder = Encoder(generator.shape, config.width).to(labeled.images.device)
        self.encoder.w_mean.copy_(generator.w_mean)
        # Kept out of the module tree: frozen parts are no state of this stage.
        self.frozen = (generator.requires_grad_(False).eval(), perceptual.requires_grad_(False))
        self.noise = [torch.zeros(1, 1, h, w, device=labeled.images.device) for h, w in generator.noise_shapes()]
        with torch.no_grad():
            z = torch.randn(1024, generator.shape.latent_width, device=labeled.images.device)
            self.code_variance = generator.mapping(z).var(dim=0).mean().clamp_min(1e-6)
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "encoder": torch.optim.AdamW(self.encoder.parameters(), lr=config.learning_rate, weight_decay=1e-4)
        }

    def step(self, nimg: int, progress: float) -> Figures:
        """Train on one batch; the rate warms up, then falls along a cosine with the progress 0..1."""
        del nimg
        rate = (
            self.config.learning_rate * min(1.0, progress / 0.02 + 0.05) * (1 + math.cos(math.pi * progress)) / 2
        )
        self.optimizers["encoder"].param_groups[0]["lr"] = max(rate, 1e-6)
        loss, figures = self.objective(self._draw_lesson())
        self.optimizers["encoder"].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.encoder.parameters(), self.config.gradient_clip)
        self.optimizers["encoder"].step()
        return figures

    @torch.no_grad()
    def _draw_lesson(self) -> Lesson:
        """Generated pairs first, then labelled slices, then unlabelled ones."""
        generator, _ = self.frozen
        n_generated = max(1, round(self.batch * self.config.generated_share))
        n_labeled = max(1, (self.batch - n_generated) // 2)
        n_unlabeled = max(1, self.batch - n_generated - n_labeled)
        codes = generator.mix(torch.randn(n_generated, generator.shape.latent_width, device=self._device()), 0.5)
        generated, logits = generator(codes)
        images, labels = self._move(*self.labeled.draw(n_labeled))
        unlabeled = self._move(self.unlabeled.draw(n_unlabeled), None)[0]
        return Lesson(
            torch.cat([generated.clamp(-1, 1), images, unlabeled]),
            torch.cat([logits.softmax(dim=1), labels]),
            codes,
        )

    def _device(self) -> torch.device:
        return self.labeled.images.device

    def _move(self, images: torch.Tensor, labels: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Real slices moved about a little, image and label alike: few labelled slices are seen many times."""
        theta = random_affine(images.shape[0], LIMITS, images.device)
        moved = warp(images, theta)
        return moved, warp(labels, theta) if labels is not None else moved

    def reconstruct(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What encoder and generator make of images [N, C, H, W]: images and label logits, without noise."""
        generator, _ = self.frozen
        return generator(self.encoder(images), self.noise)

    def objective(self, lesson: Lesson) -> tuple[torch.Tensor, Figures]:
        """The loss of a lesson and its parts."""
        generator, perceptual = self.frozen
        shown = randomize_appearance(lesson.images, self.config.randomize)
        codes = self.encoder(shown)
        images, logits = generator(codes, self.noise)
        n_labels, n_codes = lesson.labels.shape[0], lesson.codes.shape[0]
        parts = {
            "code": (codes[:n_codes] - lesson.codes).square().mean() / self.code_variance,
            "image": (images - lesson.images).square().mean(),
            "label": losses.cross_entropy(logits[:n_labels], lesson.labels)
            + losses.dice_loss(logits[:n_labels].softmax(dim=1), lesson.labels),
        }
        config = self.config
        weights = {"code": config.code_weight, "image": config.image_weight, "label": config.label_weight}
        if config.feature_weight > 0:  # the dearest part by far
            parts["feature"] = perceptual(images, lesson.images).mean()
            weights["feature"] = config.feature_weight
        loss = torch.stack([weights[name] * part for name, part in parts.items()]).sum()
        return loss, {name: part.item() for name, part in parts.items()}
