"""Whether a file holds a scan or labels: by its format, else by a plain rule on its values."""

from pathlib import Path

import numpy as np

from ...errors import InputError, UsageError
from ...imaging import (
    StoredArray,
    class_files,
    find_dicom_files,
    is_dicom_file,
    is_dicom_label,
    is_picture_file,
    read_colours,
    threshold_soft_mask,
)
from ...shapes import Array
from ..dicom_label import holds_dicom
from .options import Kind

MOST_CLASSES = 200
"""A volume with at least as many different values is a scan."""
MOST_CLASSES_OF_PICTURE = 65


def kind_by_format(path: Path) -> tuple[Kind | None, str]:
    """What a path holds by its format alone, and why; None if only the values can tell.

    DICOM segmentations and structure sets, folders with a file for each class and pictures painted in colours are
    labels; all other DICOM is a scan.

    Raises:
        InputError: nothing is there.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if path.is_dir():
        has_images = any(is_dicom_file(file) and not is_dicom_label(file) for file in path.iterdir())
        if not has_images and class_files(path):
            return "mask", "a folder with a file for each class"
        found, _ = find_dicom_files(path)
        if found and all(is_dicom_label(file) for file in found):
            return "mask", "DICOM labels"
        return "scan", "DICOM images"
    if is_dicom_label(path):
        return "mask", "DICOM labels"
    if holds_dicom(path):
        return "scan", "DICOM images"
    if is_picture_file(path) and read_colours(path) is not None:
        return "mask", "a picture painted in colours"
    return None, ""


def kind_by_values(stored: StoredArray, *, is_picture: bool) -> tuple[Kind, str]:
    """What voxels are, and why: labels are few different whole numbers from 0 to 65535, all else is a scan.

    This is for files that do not name classes. Few are fewer than 200, of a picture fewer than 65; a soft mask
    (edges between 0 and 255) counts as a scan. The values that are written are the same either way.

    Args:
        stored: the voxels as they are stored.
        is_picture: whether they are those of a PNG or TIFF.
    """
    array, most = stored.array, MOST_CLASSES_OF_PICTURE if is_picture else MOST_CLASSES
    n_values = _count_whole_values(array)
    if n_values is None:
        return "scan", "values below 0, above 65535 or between whole numbers; --mask if they are labels"
    if n_values >= most:
        return "scan", f"{n_values} different values; --mask if they are labels"
    if threshold_soft_mask(array) is not None:
        return "scan", "a soft mask is kept as it is; --mask cuts it at one half"
    return "mask", f"{n_values} different whole numbers from 0; --scan if they are intensities"


def require_kind(asked: Kind | None, by_format: Kind | None, path: Path) -> None:
    """Nothing, unless the user says of a path what its format rules out.

    Raises:
        UsageError: it is said to be a scan and holds labels, or the other way round.
    """
    if asked is None or by_format is None or asked == by_format:
        return
    if asked == "scan":
        raise UsageError(f"{path} holds labels and no scan; leave --scan out")
    raise UsageError(f"{path} holds a scan and no labels; name the file with the labels")


def _count_whole_values(array: Array) -> int | None:
    """How many different values there are; None if not all are whole numbers from 0 to 65535."""
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and np.array_equal(array, np.rint(array))):
        return None
    if array.min() < 0 or array.max() > 65535:
        return None
    return int(np.count_nonzero(np.bincount(array.ravel().astype(np.uint16))))
