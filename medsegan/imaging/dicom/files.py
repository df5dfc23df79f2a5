"""The DICOM files below a folder."""

import os
from pathlib import Path

from ...errors import InputError
from ..formats import DICOM_INDEX, has_bare_dicom_header, has_dicom_magic

_SUFFIXES = (".dcm", ".ima")


def find_dicom_files(folder: Path, *, below: bool = True) -> tuple[list[Path], int]:
    """The DICOM files of a folder, in the order of their paths, and how many other files lie there.

    Hidden files, the "._" files of macOS and DICOMDIR count as neither.

    Args:
        folder: searched.
        below: whether its subfolders are searched, too.

    Raises:
        InputError: a file with a suffix of DICOM is none: one slice of a series may be lost, and not be missed.
    """
    found: list[Path] = []
    n_others = 0
    for path in _files_of(folder, below):
        if path.name.lower() == DICOM_INDEX:
            continue
        if has_dicom_magic(path) or has_bare_dicom_header(path):
            found.append(path)
        elif path.suffix.lower() in _SUFFIXES:
            raise InputError(
                f"{path}: it is named as DICOM but does not begin as DICOM ({path.stat().st_size} bytes); it is "
                "damaged or empty: fetch it again, or take it out of the folder"
            )
        else:
            n_others += 1
    return found, n_others


def _files_of(folder: Path, below: bool) -> list[Path]:
    """All files but hidden ones, in the order of their paths."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if below and not _is_hidden(name)]
        found += [Path(place, name) for name in names if not _is_hidden(name)]
    return sorted(path for path in found if path.is_file())


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
