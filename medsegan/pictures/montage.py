"""Many small pictures on one sheet."""

from collections.abc import Sequence

import numpy as np

from ..errors import DataError
from ..shapes import Array

_GAP = 4
_CAPTION_HEIGHT = 14
_PAPER = 24
_INK = (230, 230, 230)


def montage(tiles: Sequence[Array], columns: int, captions: Sequence[str] | None = None) -> Array:
    """One picture, (H, W, 3) uint8 RGB, with the tiles row by row on dark paper.

    Args:
        tiles: pictures (h, w, 3) uint8 RGB; smaller ones are put at the upper left of their place.
        columns: tiles in a row, at least 1.
        captions: a line under each tile, cut off at its width; `None` means no captions.

    Raises:
        DataError: there is no tile, a tile is no RGB picture, or captions and tiles differ in number.
    """
    if not tiles or columns < 1:
        raise DataError(f"a montage needs at least one tile and one column, got {len(tiles)} and {columns}")
    for tile in tiles:
        if tile.ndim != 3 or tile.shape[2] != 3 or tile.dtype != np.uint8:
            raise DataError(f"a tile must be (H, W, 3) uint8, got {tile.shape} {tile.dtype}")
    if captions is not None and len(captions) != len(tiles):
        raise DataError(f"{len(captions)} captions do not fit {len(tiles)} tiles")
    height = max(tile.shape[0] for tile in tiles)
    width = max(tile.shape[1] for tile in tiles)
    pitch = height + _GAP + (0 if captions is None else _CAPTION_HEIGHT)
    n_columns = min(columns, len(tiles))
    n_rows = -(-len(tiles) // n_columns)
    sheet = np.full((n_rows * pitch + _GAP, n_columns * (width + _GAP) + _GAP, 3), _PAPER, dtype=np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, n_columns)
        top, left = _GAP + row * pitch, _GAP + column * (width + _GAP)
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        if captions is not None:
            strip = _caption(captions[index], width)
            sheet[top + height : top + height + _CAPTION_HEIGHT, left : left + width] = strip
    return sheet


def _caption(text: str, width: int) -> Array:
    """A line of text as a strip of the sheet."""
    from PIL import Image, ImageDraw, ImageFont

    strip = Image.new("RGB", (width, _CAPTION_HEIGHT), (_PAPER, _PAPER, _PAPER))
    ImageDraw.Draw(strip).text((1, 1), text, fill=_INK, font=ImageFont.load_default(size=10))
    return np.array(strip)
