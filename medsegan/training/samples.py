"""Pictures that show how a training stands."""

from pathlib import Path

import torch

from ..pictures import montage, overlay, write_png
from .encoder import EncoderStage
from .gan import GanStage

COLUMNS, ROWS = 8, 3


def write_samples(stage: GanStage, path: Path) -> None:
    """Write generated images with the contours of their generated labels; the latents are always the same."""
    torch.manual_seed(0)
    fakes = stage.samples(COLUMNS * ROWS)
    labels = fakes.labels.argmax(dim=1)
    _write(list(zip(fakes.images[:, 0], labels, strict=True)), path)


@torch.no_grad()
def write_reconstructions(stage: EncoderStage, path: Path) -> None:
    """Write real slices above what encoder and generator make of them."""
    torch.manual_seed(0)
    images = stage.unlabeled.draw(COLUMNS)
    made, logits = stage.reconstruct(images)
    empty = torch.zeros_like(images[:, 0], dtype=torch.long)
    tiles = [*zip(images[:, 0], empty, strict=True), *zip(made[:, 0], logits.argmax(dim=1), strict=True)]
    _write(tiles, path)


def _write(tiles: list[tuple[torch.Tensor, torch.Tensor]], path: Path) -> None:
    size = tiles[0][0].shape[-1]
    scale = max(1, 128 // size)
    pictures = [
        overlay(image.clamp(-1, 1).float().cpu().numpy(), label.cpu().numpy(), scale=scale)
        for image, label in tiles
    ]
    write_png(montage(pictures, COLUMNS), path)
