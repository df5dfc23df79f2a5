"""Which files are scans, and what they are called without their suffixes."""

import stat
from pathlib import Path
from typing import Literal

from ..errors import InputError
from .archive import may_hold_dicom

Format = Literal["nifti", "itk", "dicom", "raster", "zip"]

_SUFFIXES: dict[str, Format] = {
    ".nii.gz": "nifti",
    ".nii": "nifti",
    ".hdr.gz": "nifti",
    ".img.gz": "nifti",
    ".hdr": "nifti",
    ".img": "nifti",
    ".nrrd": "itk",
    ".nhdr": "itk",
    ".mha": "itk",
    ".mhd": "itk",
    ".dcm": "dicom",
    ".ima": "dicom",
    ".png": "raster",
    ".tif": "raster",
    ".tiff": "raster",
    ".zip": "zip",
}
_VOXEL_HALVES = {".img": ".hdr", ".img.gz": ".hdr.gz"}
READABLE = ", ".join(suffix for suffix in _SUFFIXES if not suffix.startswith(".img"))
"""The suffixes that can be read, for messages."""
_BARE_TAGS = frozenset(
    [
        b"\x02\0\0\0",
        b"\x02\0\x01\0",
        *(b"\x08\0" + bytes([low, 0]) for low in (0, 1, 5, 8, 0x12, 0x14, 0x16, 0x18)),
    ]
)
DICOM_INDEX = "dicomdir"
"""A DICOM file by its magic, but only a list of the others (DICOM PS3.10, section 8); in lower case."""


def format_of(path: Path) -> Format | None:
    """The format of a path: DICOM by its magic, else by its suffix; a folder is DICOM; `None` for no scan."""
    if path.is_dir() or has_dicom_magic(path):
        return "dicom"
    suffix = _suffix_of(path.name)
    if suffix is not None:
        return _SUFFIXES[suffix]
    return "dicom" if has_bare_dicom_header(path) else None


def require_readable(path: Path) -> None:
    """Refuse what is neither a file nor a folder: absent, or a pipe or device, which would be waited on for ever.

    Raises:
        InputError: it is none of both, or must not be looked at.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path}: there is no such file or folder") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: it cannot be looked at ({reason})") from error
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise InputError(f"{path}: this is a pipe, a socket or a device, expected a file or a folder")


def is_scan(path: Path) -> bool:
    """Whether a path looks like a scan, by its name or magic bytes alone; nothing is decoded.

    A NIfTI pair counts once, as its header; a folder counts if a file directly in it has the DICOM magic.
    Hidden files never count.

    Args:
        path: a file or folder; one that does not exist is no scan.
    """
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return any(is_dicom_file(child) for child in sorted(path.iterdir()))
    if not path.is_file():
        return False
    suffix = _suffix_of(path.name)
    if suffix == ".zip":
        return may_hold_dicom(path)
    if suffix in _VOXEL_HALVES and not has_dicom_magic(path):
        header = path.with_name(path.name[: -len(suffix)] + _VOXEL_HALVES[suffix])
        return not header.exists() and has_nifti_magic(path)
    return suffix is not None or is_dicom_file(path)


def is_archive(path: Path) -> bool:
    """Whether a file is an archive by its name; `is_scan` says whether there is DICOM in it."""
    return _suffix_of(path.name) == ".zip" and path.is_file() and not has_dicom_magic(path)


def is_dicom_index(path: Path) -> bool:
    """Whether a file is a DICOMDIR, which stands for the folder that it lies in."""
    return path.name.lower() == DICOM_INDEX and path.is_file()


def is_dicom_file(path: Path) -> bool:
    """Whether a file belongs to a DICOM series, by its name or magic bytes; hidden files and DICOMDIR do not.

    The magic counts more than the name: scanners and discs call slices "I0001.img" too.
    """
    if path.name.startswith(".") or path.name.lower() == DICOM_INDEX or not path.is_file():
        return False
    suffix = _suffix_of(path.name)
    if suffix is None:
        return has_dicom_magic(path) or has_bare_dicom_header(path)
    return _SUFFIXES[suffix] == "dicom" or has_dicom_magic(path)


def is_picture_file(path: Path) -> bool:
    """Whether a file is a PNG or TIFF by its name: a picture without a place in the patient."""
    suffix = _suffix_of(path.name)
    is_named = suffix is not None and _SUFFIXES[suffix] == "raster" and path.is_file()
    return is_named and not has_dicom_magic(path)


def scan_stem(path: Path) -> str:
    """The name of a scan without its format's suffixes: "ct_000" for "ct_000.nii.gz"; a folder's name as it is."""
    suffix = _suffix_of(path.name)
    if suffix is None or path.is_dir():
        return path.name
    return path.name[: -len(suffix)]


def other_half(path: Path) -> Path | None:
    """The file with the voxels of a NIfTI header or the header of the voxels; `None` without such a file."""
    halves = {**_VOXEL_HALVES, **{header: voxels for voxels, header in _VOXEL_HALVES.items()}}
    suffix = _suffix_of(path.name)
    if suffix not in halves:
        return None
    other = path.with_name(path.name[: -len(suffix)] + halves[suffix])
    return other if other.is_file() else None


def is_volume_file(path: Path) -> bool:
    """Whether this is a file with one whole volume; the .img beside a .hdr is not counted again."""
    return path.is_file() and not is_dicom_file(path) and is_scan(path)


def has_dicom_magic(path: Path) -> bool:
    """Whether a file carries "DICM" behind a preamble of 128 bytes (DICOM PS3.10, section 7.1)."""
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def has_bare_dicom_header(path: Path) -> bool:
    """Whether a file begins as DICOM does where its preamble and meta header were left out.

    The first element is then one of group 0002 or an early one of group 0008, little endian, with a value
    representation or a short length behind it (DICOM PS3.5, section 7.1).
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError:
        return False
    if len(head) < 8 or head[:4] not in _BARE_TAGS:
        return False
    return head[4:6] in (b"UL", b"CS", b"UI", b"DA", b"TM", b"OB") or head[6:8] == b"\0\0"


def has_nifti_magic(path: Path) -> bool:
    """Whether an uncompressed file begins with a NIfTI-1 or NIfTI-2 header."""
    try:
        with path.open("rb") as stream:
            head = stream.read(348)
    except OSError:
        return False
    return head[344:347] in (b"n+1", b"ni1") or head[4:7] in (b"n+2", b"ni2")


def _suffix_of(name: str) -> str | None:
    """The longest known suffix of a name, in lower case."""
    lowered = name.lower()
    return max((suffix for suffix in _SUFFIXES if lowered.endswith(suffix)), key=len, default=None)
