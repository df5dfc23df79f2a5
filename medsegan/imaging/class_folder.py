"""One label volume from a folder with a file for each class: liver.nii.gz, spleen.nii.gz."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..errors import DataError, InputError
from .class_names import chosen_names, name_classes
from .formats import is_picture_file, is_volume_file, scan_stem
from .paint import Canvas
from .read import read_stored
from .soft_mask import threshold_soft_mask
from .volume import LabelVolume
from .voxels import as_labels


def class_files(folder: Path) -> list[Path]:
    """The volume files directly in a folder, by their names."""
    return [path for path in sorted(folder.iterdir()) if is_volume_file(path) and not is_picture_file(path)]


def read_class_folder(folder: Path, only: Collection[str] | None = None) -> LabelVolume:
    """The masks of a folder as one label volume; the values are 1, 2, ... in the order of the names of the files.

    Args:
        folder: holds one mask for each class, all on one grid: 0 and one other value, or a soft mask.
        only: names of the classes to read; `None` = all. Others are not opened.

    Raises:
        InputError: there is no volume file, or one cannot be read.
        DataError: a file holds several classes, lies elsewhere than the others, or classes overlap.
    """
    files = class_files(folder)
    if not files:
        raise InputError(
            f"{folder}: holds no label volume; expected one file for each class, such as liver.nii.gz"
        )
    names = name_classes([(value, scan_stem(path)) for value, path in enumerate(files, start=1)], str(folder))
    wanted = chosen_names(names, only) or names
    canvas, grid = None, None
    for value in wanted:
        path = files[value - 1]
        stored = read_stored(path)
        if canvas is None or grid is None:
            grid = stored.grid
            canvas = Canvas(grid.shape, wanted)
        elif grid.corner_distance_voxels(stored.grid) >= 0.01:
            raise DataError(
                f"{path}: lies on another grid than the other classes of its folder; write all on the scan's grid"
            )
        soft = threshold_soft_mask(stored.array)
        mask = as_labels(stored.array, path) if soft is None else soft
        values = np.flatnonzero(np.bincount(mask.ravel()))
        if len(values[values > 0]) > 1:
            raise DataError(
                f"{path}: holds the values {values.tolist()[:6]}, expected 0 and one other in a folder with a "
                "file for each class; keep label volumes with several classes out of it"
            )
        canvas.paint((slice(None),), mask != 0, value)
    assert canvas is not None
    assert grid is not None
    canvas.require_apart(str(folder))
    if only is not None and not chosen_names(names, only):
        return LabelVolume(np.zeros_like(canvas.array), grid)
    return LabelVolume(canvas.array, grid, names=wanted)
