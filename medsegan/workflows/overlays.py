"""Pictures of labelled scans: slices with the contours of prediction and reference."""

from pathlib import Path

import numpy as np

from ..pictures import montage, overlay, write_png
from ..shapes import Array, FloatArray, LabelArray

TILE_PIXELS = 224


def overlay_tiles(images: FloatArray, label: LabelArray, reference: LabelArray | None, count: int) -> list[Array]:
    """Pictures of evenly spaced slices among those that hold labels, or among all if none does.

    Args:
        images: (S, H, W) in [-1, 1].
        label: (S, H, W) class indices of the prediction.
        reference: (S, H, W) class indices of the reference, drawn in white; None without one.
        count: slices to show.
    """
    marked = label > 0 if reference is None else (label > 0) | (reference > 0)
    candidates = np.flatnonzero(marked.any(axis=(1, 2)))
    if len(candidates) == 0:
        candidates = np.arange(len(images))
    chosen = candidates[np.linspace(0, len(candidates) - 1, min(count, len(candidates))).round().astype(int)]
    scale = max(1, TILE_PIXELS // images.shape[1])
    return [overlay(images[i], label[i], None if reference is None else reference[i], scale=scale) for i in chosen]


def write_preview(images: FloatArray, label: LabelArray, path: Path, count: int = 12) -> None:
    """Write one picture of a scan with the contours of its labels."""
    tiles = overlay_tiles(images, label, None, count)
    write_png(montage(tiles, columns=min(4, len(tiles))), path)
