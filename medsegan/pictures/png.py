"""Pictures on disk."""

from pathlib import Path

import numpy as np

from ..atomic import atomic_file
from ..errors import DataError, InputError
from ..shapes import Array


def write_png(rgb: Array, path: Path) -> None:
    """Write a picture as PNG; the file appears whole or not at all, its folder is made if need be.

    Args:
        rgb: (H, W, 3) uint8 RGB, or (H, W) uint8 grey.
        path: the file; one that is there is replaced.

    Raises:
        DataError: the array is no picture.
        InputError: the file cannot be written.
    """
    from PIL import Image

    if rgb.dtype != np.uint8 or rgb.ndim not in (2, 3) or (rgb.ndim == 3 and rgb.shape[2] != 3) or 0 in rgb.shape:
        raise DataError(f"a picture must be (H, W, 3) or (H, W) uint8, got {rgb.shape} {rgb.dtype}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            Image.fromarray(np.ascontiguousarray(rgb)).save(partial, format="PNG")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
