"""The scans below a folder: volume files, and folders of DICOM files that count as one scan each."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..imaging import is_scan, scan_stem
from .file_role import Entry, read_entry

_VOLUME_SUFFIXES = (".nii", ".nii.gz", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd")


def list_entries(folder: Path) -> list[Entry]:
    """All scans and label volumes below a folder, in order of their names; hidden ones are passed over.

    Args:
        folder: searched with everything below it; a folder that is a DICOM series itself is one entry.
    """
    entries: list[Entry] = []
    for current, names in _walk(folder):
        relative = current.relative_to(folder)
        for name in names:
            if is_volume_file(current / name):
                key = (relative / scan_stem(Path(name))).as_posix()
                entries.append(read_entry(current / name, key))
        if any(is_dicom_file(current / name) for name in names):
            key = relative.as_posix() if relative.parts else folder.resolve().name
            entries.append(read_entry(current, key, is_series=True))
    return sorted(entries, key=lambda entry: entry.key)


def entries_of_files(files: Iterable[Path]) -> list[Entry]:
    """The entries of files given one by one; DICOM files of one folder are one series."""
    entries: list[Entry] = []
    series: set[Path] = set()
    for file in files:
        if is_volume_file(file):
            entries.append(read_entry(file, scan_stem(file)))
        elif file.parent not in series:
            series.add(file.parent)
            entries.append(read_entry(file.parent, file.parent.resolve().name, is_series=True))
    return entries


def is_volume_file(path: Path) -> bool:
    """Whether the name is that of a file with one whole volume; the .img beside a .hdr is not counted again."""
    return path.name.lower().endswith(_VOLUME_SUFFIXES)


def is_dicom_file(path: Path) -> bool:
    """Whether the file is a scan, but not a volume by name: what is left is DICOM."""
    is_pair = path.suffix.lower() == ".img"
    return not is_pair and not is_volume_file(path) and is_scan(path)


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for current, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(current), sorted(name for name in files if not name.startswith("."))
