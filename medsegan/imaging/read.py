"""A scan from disk, whatever its format."""

from pathlib import Path

from ..errors import InputError, UsageError
from .archive import open_archive
from .dicom.read import read_series, read_series_outline
from .formats import READABLE, format_of, require_readable
from .itk import read_itk
from .nifti import read_nifti
from .raster import read_raster
from .stored import StoredArray
from .straight import straighten
from .volume import Outline, Volume
from .voxels import as_intensities


def read_volume(
    path: Path, *, series: str | None = None, fix_gaps: bool = False, channel: int | None = None
) -> Volume:
    """The scan in a file or a folder of DICOM slices, in RAS+ mm.

    Args:
        path: NIfTI (.nii, .nii.gz, .hdr with .img), NRRD, MetaImage, PNG or TIFF (grey, one slice), a DICOM
            slice (its whole series is read), a folder of DICOM slices or a zip archive of one.
        series: which series of a folder: its SeriesInstanceUID or its number in the list that the error shows;
            `None` if there is only one.
        fix_gaps: whether missing or unevenly spaced slices of a DICOM series are filled by interpolation, with a
            note; else they are refused. Other formats have none.
        channel: which volume of a NIfTI file with several, counted from 0; `None` if there is only one.

    Returns:
        int16 where the file stores integers that fit, else float32; the notes say what was repaired or chosen.

    Raises:
        InputError: nothing readable is there.
        DataError: it can be read but is no consistent volume.
        UsageError: `series` is given for a file that is not DICOM, or `channel` for one that is not NIfTI.
    """
    require_readable(path)
    kind = format_of(path)
    if channel is not None and kind in ("dicom", "zip", "raster"):
        raise UsageError(f"{path}: volume {channel} was asked for, but only NIfTI has several; leave it out")
    if kind == "dicom":
        return read_series(path, series, fix_gaps=fix_gaps)
    if kind == "zip":
        with open_archive(path) as folder:
            return read_series(folder, series, fix_gaps=fix_gaps)
    if series is not None:
        raise UsageError(f"{path}: only DICOM has series, but series {series!r} was asked for; leave it out")
    stored = read_stored(path, channel=channel)
    array, notes = as_intensities(stored.array, path)
    array, grid, shear_notes = straighten(array, stored.grid, path)
    return Volume(array, grid, "unknown", stored.notes + notes + shear_notes, is_picture=kind == "raster")


def read_outline(path: Path, *, series: str | None = None, fix_gaps: bool = False) -> Outline | None:
    """What a scan is and where it lies where headers tell, as those of a DICOM series do; None = read the volume.

    Args:
        path, series, fix_gaps: as in `read_volume`.

    Raises:
        InputError: nothing readable is there.
        DataError: the headers make no consistent volume.
    """
    kind = format_of(path) if path.exists() else None
    if kind == "dicom":
        return read_series_outline(path, series, fix_gaps=fix_gaps)
    if kind == "zip":
        with open_archive(path) as folder:
            return read_series_outline(folder, series, fix_gaps=fix_gaps)
    return None


def read_stored(path: Path, *, with_colours: bool = False, channel: int | None = None) -> StoredArray:
    """The voxels of a file that is no DICOM, as they are stored.

    Args:
        path: NIfTI, NRRD, MetaImage, PNG or TIFF.
        with_colours: whether voxels of three or four bytes are read as (I, J, K, 3) or (I, J, K, 4), not refused;
            those of pictures are refused either way.
        channel: see `read_volume`.

    Raises:
        InputError: it is of no known format, or damaged.
        DataError: it is no single volume.
        UsageError: `channel` is given for a file that is not NIfTI.
    """
    kind = format_of(path)
    if kind == "nifti":
        return read_nifti(path, with_colours=with_colours, channel=channel)
    if channel is not None:
        raise UsageError(f"{path}: volume {channel} was asked for, but only NIfTI has several; leave it out")
    if kind == "itk":
        return read_itk(path, with_colours=with_colours)
    if kind == "raster":
        return read_raster(path)
    raise InputError(f"{path}: this is no format that can be read; expected {READABLE} or DICOM")
