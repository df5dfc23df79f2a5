"""The scans below a folder: volume files, and folders of DICOM files that count as one scan each."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from ...errors import DataError, InputError
from ...imaging import (
    is_dicom_file,
    is_dicom_label,
    is_picture_file,
    is_radiograph,
    is_volume_file,
    scan_stem,
)
from .file_role import Entry, read_entry, read_label_entry, read_role

_PAPERS = frozenset(("readme", "license", "licence", "copying", "changes", "changelog", "version", "dicomdir"))
"""Names without a suffix that are no scans'."""


def list_entries(folder: Path) -> list[Entry]:
    """All scans and label volumes below a folder, in order of their names; hidden ones are passed over.

    Args:
        folder: searched with everything below it. Pictures count only where there is nothing else, since beside
            volumes they are previews and reports. X-rays in one folder are scans of their own. Any other folder
            with DICOM images is one entry, whatever DICOM lies below it too, since its series are looked for there
            as well. Each DICOM file of labels is an entry, and so is a folder beside a scan with a label file for
            each class.
    """
    entries: list[Entry] = []
    series: set[Path] = set()
    for current, names in _walk(folder):
        relative = current.relative_to(folder)
        volumes = [name for name in names if is_volume_file(current / name)]
        if current != folder and _is_class_folder(current, volumes):
            entries.append(read_label_entry(current, relative.as_posix()))
            continue
        for name in volumes:
            key = (relative / scan_stem(Path(name))).as_posix()
            entries.append(read_entry(current / name, key))
        labels = [name for name in names if is_dicom_label(current / name)]
        for name in labels:
            key = (relative / scan_stem(Path(name))).as_posix()
            entries.append(read_label_entry(current / name, key))
        is_inside = not series.isdisjoint((current, *current.parents))
        if not is_inside and any(is_dicom_file(current / name) for name in names if name not in labels):
            if holds_radiographs(current):
                for name in names:
                    if is_radiograph(current / name):
                        key = (relative / scan_stem(Path(name))).as_posix()
                        entries.append(read_entry(current / name, key))
                continue
            series.add(current)
            key = relative.as_posix() if relative.parts else folder.resolve().name
            entries.append(read_entry(current, key, is_series=True))
    placed = [entry for entry in entries if not is_picture_file(entry.path)]
    return sorted(placed or entries, key=lambda entry: entry.key)


def entries_of_files(files: Iterable[Path]) -> list[Entry]:
    """The entries of files given one by one; DICOM files of one folder are one series, what is no scan is none."""
    entries: list[Entry] = []
    series: set[Path] = set()
    for file in files:
        if is_dicom_label(file):
            entries.append(read_label_entry(file, scan_stem(file)))
        elif is_volume_file(file) or is_radiograph(file):
            entries.append(read_entry(file, scan_stem(file)))
        elif is_dicom_file(file) and file.parent not in series:
            series.add(file.parent)
            entries.append(read_entry(file.parent, file.parent.resolve().name, is_series=True))
    return entries


def list_pictures(folder: Path) -> list[Path]:
    """All PNG and TIFF files below a folder, which `list_entries` passes over beside volumes."""
    found = [current / name for current, names in _walk(folder) for name in names]
    return sorted(path for path in found if is_picture_file(path))


def list_strangers(folder: Path) -> list[Path]:
    """The files below a folder without a suffix that are no DICOM: what DICOM looks like where it is damaged."""
    found = [current / name for current, names in _walk(folder) for name in names if "." not in name]
    return sorted(path for path in found if path.name.lower() not in _PAPERS and not is_dicom_file(path))


def holds_radiographs(folder: Path) -> bool:
    """Whether the DICOM files directly in a folder are several X-ray pictures and no series, by the first two."""
    files = list(islice((path for path in sorted(folder.iterdir()) if is_dicom_file(path)), 2))
    return len(files) == 2 and all(is_radiograph(path) for path in files)


def require_apart(images: Iterable[Path]) -> None:
    """Refuse one scan under two names, since it could be trained on by one and tested by the other.

    Args:
        images: files, and folders of DICOM series, which are searched with everything below them.

    Raises:
        DataError: an image is named twice, or lies within another.
    """
    seen: set[Path] = set()
    for place in sorted(image.resolve() for image in images):
        if place in seen:
            raise DataError(f"{place} is named twice; name each scan, or the folder above it, once")
        above = next((folder for folder in place.parents if folder in seen), None)
        if above is not None and place.is_dir():
            raise DataError(f"{place} lies within {above}, which is a DICOM series already; name only one of them")
        seen.add(place)


def _is_class_folder(folder: Path, volumes: list[str]) -> bool:
    """Whether a folder holds the labels of the one scan beside it, a file for each class.

    TotalSegmentator writes ct.nii.gz and segmentations/liver.nii.gz, segmentations/spleen.nii.gz, ...
    """
    if len(volumes) < 2 or read_role(folder.name)[0] != "label" or is_picture_file(folder / volumes[0]):
        return False
    beside = [path for path in folder.parent.iterdir() if is_volume_file(path)]
    scans = [path for path in beside if read_role(scan_stem(path))[0] != "label"]
    if len(scans) != 1:
        return False
    # Labels of whole scans go by the name of their scan or have a word for labels; classes have neither.
    stems = [scan_stem(Path(name)) for name in volumes]
    return scan_stem(scans[0]) not in stems and all(read_role(stem)[0] == "unsaid" for stem in stems)


def _refuse(error: OSError) -> None:
    """Nobody knows which scans a folder holds that cannot be looked into, so it is not passed over."""
    raise InputError(
        f"{error.filename}: this folder cannot be looked into ({error.strerror}); make it readable, or name the "
        "others one by one"
    ) from error


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for current, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__MACOSX")
        yield Path(current), sorted(name for name in files if not name.startswith("."))
