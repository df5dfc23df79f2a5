"""Labels from disk, whatever their format."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from ..errors import DataError
from ..geometry import Grid
from .class_folder import class_files, read_class_folder
from .colours import classes_of_colours, grey_of, read_colours
from .dicom.label_object import is_dicom_label, read_label_object
from .formats import format_of, require_readable
from .raster import picture_grid, read_raster
from .read import read_stored
from .soft_mask import THRESHOLD, threshold_soft_mask
from .stored import StoredArray
from .stored_names import keep_named, read_names
from .straight import straighten
from .volume import LabelVolume
from .voxels import as_labels, require_few_values


def read_label(
    path: Path,
    *,
    on: Grid | None = None,
    only: Collection[str] | None = None,
    known: Collection[str] | None = None,
    resample: bool = False,
    straight: bool = True,
) -> LabelVolume:
    """The labels in a file or folder, as the smallest of uint8 and uint16 that holds them.

    Args:
        path: NIfTI, NRRD, MetaImage, PNG or TIFF: floats within 0.001 of integers are rounded, soft masks from 0
            to 255 cut at 127, masks in colour have a class for each colour; a DICOM segmentation (SEG) or
            structure set (RTSTRUCT); or a folder with a file for each class.
        on: grid of the scan. SEG and RTSTRUCT are put onto it, all else stays on its own grid; `None` = not known,
            then RTSTRUCT cannot be read.
        only: names of the classes to read where the file names its classes; `None` = all.
        known: names that the values of the data set have been given elsewhere; a file of values that calls its
            classes by none of them goes by its values. `None` = those of `only`.
        resample: whether a SEG that does not lie on the voxels of `on` is resampled instead of refused.
        straight: whether sheared axes are straightened as `read_volume` straightens those of scans; else every
            voxel stays where the file has it.

    Returns:
        Labels with names and notes, where the file gives any.

    Raises:
        InputError: nothing readable is there.
        DataError: the values are no labels, or classes overlap.
        UsageError: contours without `on`.
    """
    require_readable(path)
    if path.is_dir() and class_files(path):
        label = read_class_folder(path, only)
        return _straightened(label, path) if straight else label
    kind = format_of(path)
    if kind == "dicom" or is_dicom_label(path):
        return read_label_object(_only_label_object(path), on, only, resample)
    if kind == "zip":
        raise DataError(
            f"{path}: labels are not read from archives, only scans are; unpack it and name the labels"
        )
    if kind == "raster":
        return _read_picture(path, only, known)
    stored = read_stored(path, with_colours=True)
    if stored.array.ndim == 4:
        grey = grey_of(stored.array)
        if grey is None:
            labels, names = classes_of_colours(stored.array, path, only)
            label = LabelVolume(labels, stored.grid, stored.notes, names=names)
            return _straightened(label, path) if straight else label
        stored = replace(stored, array=grey)
    label = _classes_of(stored, path, only, known)
    return _straightened(label, path) if straight else label


def needs_scan(path: Path) -> bool:
    """Whether labels are read onto the grid of their scan: DICOM segmentations and structure sets."""
    return is_dicom_label(path) if path.is_file() else path.is_dir() and not class_files(path)


def _only_label_object(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [child for child in sorted(path.iterdir()) if is_dicom_label(child)]
    if len(found) != 1:
        raise DataError(
            f"{path}: holds {len(found)} DICOM segmentations (SEG) or structure sets (RTSTRUCT), expected one; "
            "labels cannot be read from DICOM images: name the file with the labels"
        )
    return found[0]


def _read_picture(path: Path, only: Collection[str] | None, known: Collection[str] | None) -> LabelVolume:
    if (painted := read_colours(path)) is not None:
        labels, names = classes_of_colours(painted, path, only)
        return LabelVolume(labels, picture_grid(labels.shape[:2], (1.0, 1.0)), (), True, names)
    stored = read_raster(path, is_label=True)
    return replace(_classes_of(stored, path, only, known, is_picture=True), is_picture=True)


def _classes_of(
    stored: StoredArray,
    path: Path,
    only: Collection[str] | None,
    known: Collection[str] | None,
    *,
    is_picture: bool = False,
) -> LabelVolume:
    soft = threshold_soft_mask(stored.array)
    if soft is not None:
        note = f"a soft mask from 0 to 255: what is above {THRESHOLD} is taken as label 1"
        return LabelVolume(soft, stored.grid, (*stored.notes, note))
    if is_picture:
        require_few_values(stored.array, path)
    names, notes = read_names(path)
    labels, names, more = keep_named(as_labels(stored.array, path), names, only, only if known is None else known)
    return LabelVolume(labels, stored.grid, (*stored.notes, *notes, *more), names=names)


def _straightened(label: LabelVolume, path: Path) -> LabelVolume:
    array, grid, notes = straighten(label.array, label.grid, path, is_label=True)
    return replace(label, array=array, grid=grid, notes=label.notes + notes)
