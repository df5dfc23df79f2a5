"""What a scan or its labels are, as one number: equal bytes, equal hash, whatever the files are called."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from .class_folder import class_files
from .class_names import class_name_of
from .dicom import is_dicom_label, is_radiograph, series_of_file
from .dicom.files import find_dicom_files
from .formats import is_dicom_file, is_dicom_index, other_half, scan_stem

_DETACHED = re.compile(r"^\s*(?:ElementDataFile\s*=|data ?file:)\s*(?P<value>.*?)\s*$", re.IGNORECASE)
"""Where headers of MetaImage and NRRD name the files of their voxels."""
_NUMBERED = re.compile(r"%\d*d")


def content_hash(path: Path) -> str:
    """The SHA-256 of everything that is read for a scan or for labels, 64 hexadecimal digits.

    Names, places and times of files do not count, but for a folder with a file for each class, whose names say
    what the classes are. A plain file has the hash that other programs show; several have that of their sorted
    hashes.

    Args:
        path: a file (with its other half, if it is one of a pair); a slice of a DICOM series, which stands for all
            slices of its series beside it; a folder of DICOM files, or its DICOMDIR; a zip archive; or a folder
            with a file for each class.

    Raises:
        InputError: nothing that could be read is there.
    """
    try:
        if is_dicom_index(path):
            path = path.parent
        if path.is_dir():
            return _hash_of_folder(path)
        if is_dicom_file(path) and not is_dicom_label(path) and not is_radiograph(path):
            series = series_of_file(path)
            siblings = sorted(sibling for sibling in path.parent.iterdir() if is_dicom_file(sibling))
            return _joined(_hash_of_file(file) for file in siblings if series_of_file(file) == series)
        parts = [_hash_of_file(file) for file in (path, *_other_files(path))]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    return parts[0] if len(parts) == 1 else _joined(parts)


def _hash_of_folder(folder: Path) -> str:
    found, _ = find_dicom_files(folder)
    classes = class_files(folder)
    if not found and not classes:
        raise InputError(f"{folder}: holds neither DICOM files nor label volumes")
    named = [f"{class_name_of(scan_stem(path))} {content_hash(path)}" for path in classes]
    return _joined([*named, *(_hash_of_file(path) for path in found)])


def _joined(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


def _hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _other_files(path: Path) -> list[Path]:
    """The files that hold the rest: the other half of a NIfTI pair, the voxels that a detached header names."""
    if (half := other_half(path)) is not None:
        return [half]
    if path.suffix.lower() not in (".mhd", ".nhdr"):
        return []
    lines = path.read_text(encoding="latin-1").splitlines()
    for number, line in enumerate(lines):
        match = _DETACHED.match(line)
        if match is None:
            continue
        named: str = match["value"]
        first = named.partition(" ")[0]
        if first.upper() == "LIST":
            return [path.parent / name.strip() for name in lines[number + 1 :] if name.strip()]
        if _NUMBERED.search(first):
            return sorted(path.parent.glob(_NUMBERED.sub("*", first)))
        whole = path.parent / named
        return [whole] if whole.is_file() else []
    return []
