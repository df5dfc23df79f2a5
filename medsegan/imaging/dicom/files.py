"""The DICOM files below a folder."""

from pathlib import Path

from ...errors import InputError
from ..formats import DICOM_INDEX, has_bare_dicom_header, has_dicom_magic

_SUFFIXES = (".dcm", ".ima")


def find_dicom_files(folder: Path) -> tuple[list[Path], int]:
    """The DICOM files below a folder, in the order of their paths, and how many other files lie there.

    Hidden files, the "._" files of macOS and DICOMDIR count as neither.

    Args:
        folder: searched with all its subfolders.

    Raises:
        InputError: a file with a suffix of DICOM is none: one slice of a series may be lost, and not be missed.
    """
    found: list[Path] = []
    n_others = 0
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)
        if hidden or not path.is_file() or path.name.lower() == DICOM_INDEX:
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
