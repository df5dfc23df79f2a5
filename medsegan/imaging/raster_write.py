"""Labels of a picture as a PNG: the numbers of the classes as grey values."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import DataError
from ..geometry import Grid, axis_codes
from ..shapes import Array
from .label_table import PNG_KEYWORD
from .raster import read_raster
from .raster_spacing import MM_PER_INCH

_PICTURE_AXES = "LPS"


def require_raster_writable(path: Path, grid: Grid) -> None:
    """Refuse a grid that a picture cannot stand for.

    Raises:
        DataError: there are several slices, or rows and columns do not run as those of a picture.
    """
    if grid.shape[2] != 1 or axis_codes(grid) != _PICTURE_AXES:
        raise DataError(
            f"{path}: a PNG holds one slice whose axes run {_PICTURE_AXES}, got {grid.shape[2]} of "
            f"{axis_codes(grid)}; write .nii.gz instead"
        )


def write_raster(array: Array, grid: Grid, path: Path, names: Mapping[int, str] | None = None) -> None:
    """Write labels as a grey PNG with 8 or 16 bits, and prove it by reading it back.

    Args:
        array: (I, J, 1) uint8 or uint16.
        grid: of a picture; the size of its pixels is written unless it is 1 mm, which stands for unknown.
        path: ends in .png.
        names: value -> name of each class, for a text in the file; `None` = none.

    Raises:
        DataError: the grid is that of a volume, or the file does not hold what was written.
    """
    require_raster_writable(path, grid)
    across_mm, down_mm, _ = grid.spacing_mm
    dpi = None if (across_mm, down_mm) == (1.0, 1.0) else (MM_PER_INCH / across_mm, MM_PER_INCH / down_mm)
    picture = Image.fromarray(np.ascontiguousarray(array[..., 0].T))
    info = PngInfo()
    if names:
        info.add_itxt(PNG_KEYWORD, json.dumps({str(value): name for value, name in sorted(names.items())}))
    picture.save(path, format="PNG", pnginfo=info, **({} if dpi is None else {"dpi": dpi}))
    if not np.array_equal(read_raster(path, is_label=True).array, array):
        raise DataError(f"{path}: the PNG does not hold the labels that were written; use .nii.gz")
