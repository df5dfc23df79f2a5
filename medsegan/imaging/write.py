"""A scan or labels to disk: whole or not at all, and proven by reading the place back."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..atomic import atomic_file
from ..errors import DataError, InputError, UsageError
from ..geometry import Grid
from ..shapes import Array
from .formats import format_of
from .itk import require_itk_writable, write_itk
from .nifti import write_nifti
from .raster_write import require_raster_writable, write_raster
from .read import read_stored
from .volume import LabelVolume, Volume

_NIFTI = (".nii.gz", ".nii")
_PICTURE = ".png"
WRITABLE = (*_NIFTI, ".nrrd", ".mha", _PICTURE)
_TOLERANCE_MM = 1e-3
"""NIfTI stores its affine in 32 bits: at a corner a metre away that is good to some ten thousandths of a mm."""


def write_volume(volume: Volume, path: Path, *, like: Path | None = None) -> None:
    """Write a scan as int16 or float32.

    Args:
        volume: integers that fit int16 stay integers, everything else becomes float32.
        path: ends in .nii.gz, .nii, .nrrd or .mha; a file there is replaced once the new one is complete.
        like: the file that the scan was read from; see `write_label`.

    Raises:
        UsageError: another suffix.
        InputError: the folder is absent or cannot be written.
        DataError: the format cannot store the grid.
    """
    if _suffix_of(path) == _PICTURE:
        raise UsageError(f"{path}: a PNG can hold labels only; write a scan as .nii.gz")
    array = volume.array
    fits = array.dtype.kind in "bi" or (array.dtype.kind == "u" and (array.size == 0 or array.max() <= 32767))
    if fits and array.dtype.kind == "i" and array.dtype.itemsize > 2:
        fits = bool(array.min() >= -32768 and array.max() <= 32767)
    _write(array.astype(np.int16 if fits else np.float32), volume.grid, path, like)


def write_label(label: LabelVolume, path: Path, *, like: Path | None = None) -> None:
    """Write labels as uint8, or uint16 if a value is above 255, with the names of their classes.

    Args:
        label: values 0 to 65535.
        path: ends in .nii.gz, .nii, .nrrd, .mha, or .png for a picture; a file there is replaced once the new one
            is complete.
        like: the scan the labels belong to; if it is of the same format on the same grid, its place is taken over:
            of NIfTI all sizes, codes, forms and units bit by bit. `None`, DICOM or a picture: fresh ones.

    Raises:
        UsageError: another suffix.
        InputError: the folder is absent or cannot be written.
        DataError: a value is out of range, the format cannot store the grid, or the file does not give all back.
    """
    low, high = int(label.array.min()), int(label.array.max())
    if low < 0 or high > 65535:
        raise DataError(f"{path}: label values lie between {low} and {high}, only 0 to 65535 can be written")
    names = {value: name for value, name in label.names.items() if value != 0}
    _write(label.array.astype(np.uint8 if high <= 255 else np.uint16), label.grid, path, like, names)


def require_writable(path: Path, grid: Grid) -> None:
    """Refuse early what `write_volume` and `write_label` would refuse after the work is done.

    Args:
        path: of the file to write; its folder need not be there yet.
        grid: of the volume to write.

    Raises:
        UsageError: the suffix is none that can be written.
        DataError: the format cannot store the grid.
    """
    suffix = _suffix_of(path)
    if suffix == _PICTURE:
        require_raster_writable(path, grid)
    elif suffix not in _NIFTI:
        require_itk_writable(path, grid)


def _suffix_of(path: Path) -> str:
    suffix = next((suffix for suffix in WRITABLE if path.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise UsageError(f"{path}: cannot write this format; use one of {', '.join(WRITABLE)}")
    return suffix


def _write(
    array: Array, grid: Grid, path: Path, like: Path | None = None, names: Mapping[int, str] | None = None
) -> None:
    suffix = _suffix_of(path)
    require_writable(path, grid)
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: there is no such folder to write into")
    if like is not None and format_of(like) not in ("nifti", "itk"):
        like = None
    try:
        with atomic_file(path, suffix) as partial:
            if suffix in _NIFTI:
                write_nifti(array, grid, partial, like, names)
                _require_stored(partial, path, array, grid)
            elif suffix == _PICTURE:
                write_raster(array, grid, partial, names)
            else:
                write_itk(array, grid, partial, like, names)
                _require_stored(partial, path, array, grid)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be written ({error})") from error


def _require_stored(partial: Path, path: Path, array: Array, grid: Grid) -> None:
    """Prove that the file says what was meant, before it gets its name."""
    stored = read_stored(partial)
    if stored.grid.shape != grid.shape or stored.array.dtype.newbyteorder("=") != array.dtype:
        raise DataError(
            f"{path}: the format stored {stored.grid.shape} {stored.array.dtype} for {grid.shape} {array.dtype}; "
            "use .nii.gz"
        )
    distance_mm = float(np.linalg.norm(stored.grid.corners_mm - grid.corners_mm, axis=1).max())
    if distance_mm > _TOLERANCE_MM:
        raise DataError(f"{path}: the format moved the corners by {distance_mm:.3g} mm; use .nii.gz")
    if not np.array_equal(stored.array, array, equal_nan=array.dtype.kind == "f"):
        raise DataError(f"{path}: the voxels do not come back from the file as they were written")
