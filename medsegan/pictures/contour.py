"""A slice with the outlines of its classes drawn over it."""

import numpy as np

from ..errors import DataError
from ..shapes import Array, LabelArray, MaskArray
from .colours import class_colours

_REFERENCE_COLOUR = (255, 255, 255)
_DASH = 3


def overlay(image: Array, label: LabelArray | None, reference: LabelArray | None = None, scale: int = 4) -> Array:
    """The picture of a slice, (scale * H, scale * W, 3) uint8 RGB, with contours one pixel of the picture wide.

    A contour runs inside of its class, so that those of neighbours do not hide each other. The reference is
    dashed white and lies above the label.

    Args:
        image: (H, W) floats in -1..1, clipped beyond, or uint8.
        label: (H, W) class indices, drawn solid in the colours of their classes; `None` draws none.
        reference: (H, W) class indices to compare with; `None` draws none.
        scale: pixels of the picture per pixel of the slice, at least 1.

    Raises:
        DataError: the arrays are not two-dimensional of one shape.
    """
    shapes = [array.shape for array in (image, label, reference) if array is not None]
    if image.ndim != 2 or len(set(shapes)) > 1:
        raise DataError(f"image and labels must be (H, W) of one shape, got {shapes}")
    picture = np.repeat(_as_bytes(_enlarged(image, scale))[..., None], 3, axis=2)
    if label is not None:
        large = _repeated(label, scale)
        edges = _edges(large)
        picture[edges] = class_colours(int(label.max()) + 1)[large[edges]]
    if reference is not None:
        edges = _edges(_repeated(reference, scale))
        diagonal = np.arange(edges.shape[0])[:, None] + np.arange(edges.shape[1])[None]
        picture[edges & (diagonal // _DASH % 2 == 0)] = _REFERENCE_COLOUR
    return picture


def _enlarged(image: Array, scale: int) -> Array:
    """The image enlarged by linear interpolation between pixel centres."""
    if scale == 1:
        return image
    values = image.astype(np.float32)
    for axis in (0, 1):
        n = values.shape[axis]
        positions = np.clip((np.arange(n * scale) + 0.5) / scale - 0.5, 0, n - 1)
        before = np.minimum(positions.astype(int), max(0, n - 2))
        after = np.minimum(before + 1, n - 1)
        share = (positions - before).astype(np.float32)
        share = share[:, None] if axis == 0 else share[None]
        values = np.take(values, before, axis) * (1 - share) + np.take(values, after, axis) * share
    return values if image.dtype.kind == "f" else np.rint(values).astype(image.dtype)


def _as_bytes(image: Array) -> Array:
    if image.dtype == np.uint8:
        return image
    return np.rint(np.clip((image.astype(np.float32) + 1.0) * 127.5, 0.0, 255.0)).astype(np.uint8)


def _repeated(label: LabelArray, scale: int) -> LabelArray:
    return np.repeat(np.repeat(label, scale, axis=0), scale, axis=1)


def _edges(label: LabelArray) -> MaskArray:
    """Pixels of a class that have a neighbour above, below, left or right of another class."""
    padded = np.pad(label, 1, mode="edge")
    inner = padded[1:-1, 1:-1]
    neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    differs = np.zeros(label.shape, dtype=bool)
    for neighbour in neighbours:
        differs |= neighbour != inner
    return np.asarray(differs & (label > 0))
