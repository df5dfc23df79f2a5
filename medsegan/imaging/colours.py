"""Masks painted in colours: every colour is a class."""

import warnings
from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import DataError
from ..shapes import Array
from .class_names import chosen_names
from .paint import Canvas
from .raster import PICTURE_FAILURES
from .raster_sound import check_png, check_tiff

MOST_COLOURS = 64
_ROUNDING = 2.0
_ORIENTATION = 274
_RARE = 0.25


def read_colours(path: Path) -> Array | None:
    """(columns, rows, 1, 3 or 4) uint8 of a picture in colour; `None` if it is grey, has a palette, or is damaged.

    What is none of ours is left to the reader of grey pictures and palettes, which says what is wrong with it.

    Args:
        path: PNG or TIFF.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path, formats=("PNG", "TIFF")) as image:
                if image.mode not in ("RGB", "RGBA") or getattr(image, "n_frames", 1) != 1:
                    return None
                if image.getexif().get(_ORIENTATION, 1) != 1 or "transparency" in image.info:
                    return None
                check_png(path)
                if image.format == "TIFF":
                    check_tiff(image, path, is_label=True)
                pixels = np.asarray(image)
    except (*PICTURE_FAILURES, Warning):
        return None
    if grey_of(pixels[..., :3]) is not None:
        return None
    return np.ascontiguousarray(pixels.transpose(1, 0, 2)[:, :, None, :])


def grey_of(pixels: Array) -> Array | None:
    """The grey values of colours whose channels are all equal; `None` if they are coloured or transparent.

    Args:
        pixels: (..., 3) or (..., 4), red, green, blue and opacity.
    """
    is_grey = all(np.array_equal(pixels[..., 0], pixels[..., channel]) for channel in (1, 2))
    is_opaque = pixels.shape[-1] == 3 or bool((pixels[..., 3] == np.iinfo(pixels.dtype).max).all())
    return pixels[..., 0] if is_grey and is_opaque else None


def classes_of_colours(
    pixels: Array, path: Path, only: Collection[str] | None = None
) -> tuple[Array, dict[int, str]]:
    """(I, J, K) labels and the names of their classes: black is background, every other colour a class.

    Values follow the order of first appearance, row by row; since that differs from file to file, classes go
    by their names, `colour_ff0000` for red, wherever files are put together. An opaque fourth channel is dropped.

    Args:
        pixels: (I, J, K, 3) or (I, J, K, 4) uint8, red, green, blue and opacity.
        path: the file, for messages.
        only: names of the classes to read; `None` = all.

    Raises:
        DataError: more than 64 colours, or mixtures of others along their edges: a picture, or a mask that was
            smoothed, resized or saved as JPEG.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[3] not in (3, 4):
        raise DataError(f"{path}: colours must be three or four bytes a pixel, got {pixels.dtype} {pixels.shape}")
    if pixels.shape[3] == 4:
        if (pixels[..., 3] != 255).any():
            raise DataError(f"{path}: the mask is partly transparent; save it without an alpha channel")
        pixels = pixels[..., :3]
    codes = pixels.astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
    colours, first, counts = np.unique(codes.T, return_index=True, return_counts=True)
    if len(colours) > MOST_COLOURS:
        raise DataError(
            f"{path}: {len(colours)} colours, at most {MOST_COLOURS} are taken for classes; is this a picture or "
            "a mask with smoothed edges? Give a mask with one plain colour for each class"
        )
    _require_plain(colours, counts, path)
    ordered = [int(code) for code in colours[np.argsort(first)] if code != 0]
    names = {value: f"colour_{code:06x}" for value, code in enumerate(ordered, start=1)}
    wanted = chosen_names(names, only)
    i, j, k = codes.shape
    canvas = Canvas((i, j, k), wanted)
    for value in wanted:
        canvas.paint((slice(None),), codes == ordered[value - 1], value)
    return canvas.array, wanted


def _require_plain(colours: Array, counts: Array, path: Path) -> None:
    """Refuse rare colours on the straight line between two frequent ones: what smoothing leaves at an edge."""
    rgb = np.stack([colours >> 16, (colours >> 8) & 255, colours & 255], axis=1).astype(np.float64)
    for index, colour in enumerate(rgb):
        often = rgb[counts * _RARE > counts[index]]
        for at, a in enumerate(often):
            for b in often[at + 1 :]:
                t = float((colour - a) @ (b - a) / ((b - a) @ (b - a)))
                if 0 < t < 1 and np.abs(a + t * (b - a) - colour).max() <= _ROUNDING:
                    shown = ["#" + "".join(f"{int(part):02x}" for part in one) for one in (colour, a, b)]
                    raise DataError(
                        f"{path}: the colour {shown[0]} ({int(counts[index])} pixels) is a mixture of {shown[1]} "
                        f"and {shown[2]}: the mask was smoothed, resized or saved as JPEG; give the original mask"
                    )
