"""The joint generator and its encoder as a predictor of labels."""

from collections.abc import Callable

import torch
from torch import nn

from ..models import Encoder, Generator, ObjectiveName, Prediction
from .contrast import fit_contrast
from .optimize import APPEARANCE, STRUCTURE, Distance, Objective, optimize
from .views import probabilities_of_views

CHUNK_PIXELS = 64 * 128 * 128


class Segmenter(nn.Module):
    """Labels of slices by inversion: encoder, optimisation, label head.

    Args:
        generator: the averaged generator.
        encoder: trained for it.
        distance: perceptual distance of two image batches, [N].
    """

    def __init__(self, generator: Generator, encoder: Encoder, distance: Distance) -> None:
        super().__init__()
        self.generator, self.encoder = generator.requires_grad_(False), encoder.requires_grad_(False)
        self.distance = distance

    def predict(
        self,
        images: torch.Tensor,
        *,
        steps: int,
        seen_modality: bool,
        on_progress: Callable[[int], None],
        objective: ObjectiveName = "auto",
    ) -> Prediction:
        """The labels of all slices of one scan; see `Predictor`.

        The encoder's labels, a mean over shifted views, and those of the optimised codes count the same. Slices
        are optimised together in chunks that bound the memory.

        The objective "structure" compares with the scan as it is, blind to contrast. "appearance" compares
        intensities, so a scan of a modality that the model never saw is first brought into the generator's
        contrast, by the curve that fits it to the encoder's reconstruction: the generator cannot make the
        intensities of the scan itself. "auto" is "appearance": see `benchmarks/README.md`.
        """
        starts = [self._start(chunk) for chunk in self._chunks(images)]
        codes = torch.cat([start[0] for start in starts])
        made = torch.cat([start[1] for start in starts])
        probabilities = torch.cat([start[2] for start in starts])
        if steps > 0:
            is_as_it_is = seen_modality or objective == "structure"
            target = images if is_as_it_is else fit_contrast(images, made)(images)
            weights = STRUCTURE if objective == "structure" else APPEARANCE
            made, optimized = self._optimize(target, codes, steps, weights, on_progress)
            probabilities = (probabilities + optimized) / 2
        on_progress(images.shape[0])
        shown = made if seen_modality else fit_contrast(made, images)(made)
        return Prediction(probabilities.float().cpu(), shown.float().cpu())

    @torch.no_grad()
    def _start(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The encoder's codes, the image that they make without noise, and the class probabilities over views."""
        codes = self.encoder(images)
        noise = [torch.zeros(1, 1, h, w, device=images.device) for h, w in self.generator.noise_shapes()]
        made, _ = self.generator(codes, noise)
        return codes, made, probabilities_of_views(self.generator, self.encoder, images)

    def _optimize(
        self,
        target: torch.Tensor,
        codes: torch.Tensor,
        steps: int,
        weights: Objective,
        on_progress: Callable[[int], None],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scale = self._code_scale(codes)
        made, probabilities, done = [], [], 0
        for chunk, start in zip(self._chunks(target), self._chunks(codes, target), strict=True):
            found = optimize(self.generator, self.distance, chunk, start, steps, scale, weights)
            made.append(found.images)
            probabilities.append(found.probabilities)
            done += chunk.shape[0]
            on_progress(done)
        return torch.cat(made), torch.cat(probabilities)

    @torch.no_grad()
    def _code_scale(self, codes: torch.Tensor) -> torch.Tensor:
        """Standard deviation of w over the latent distribution, the same for every call."""
        generator = torch.Generator().manual_seed(0)
        z = torch.randn(512, codes.shape[2], generator=generator).to(codes.device)
        return self.generator.mapping(z).std(dim=0).mean()

    def _chunks(self, x: torch.Tensor, like: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """Pieces of a stack that hold a bounded number of pixels of `like`."""
        reference = x if like is None else like
        return x.split(max(1, CHUNK_PIXELS // (reference.shape[2] * reference.shape[3])))
