"""DICOM segmentations and structure sets paired with the series that they themselves name."""

from collections.abc import Sequence
from pathlib import Path

from ...errors import DataError
from ...imaging import is_dicom_file, is_dicom_label, referenced_series, series_of_file
from .file_role import Entry


def pair_by_reference(
    images: Sequence[Entry], labels: Sequence[Entry]
) -> tuple[dict[Path, Path], frozenset[Path]]:
    """Folder of a DICOM series -> the label file drawn on a series in it; and the label files drawn on none here.

    Args:
        images: scans; only folders of DICOM files can be referenced.
        labels: label files; those that are not DICOM, and those of series that are not here, are passed over.

    Raises:
        DataError: several files of labels were drawn on one series.
    """
    objects = [label.path for label in labels if label.path.is_file() and is_dicom_label(label.path)]
    wanted = {path: referenced_series(path) for path in objects}
    sought = frozenset().union(*wanted.values())
    if not sought:
        return {}, frozenset()
    pairs: dict[Path, Path] = {}
    for image in images:
        if not image.path.is_dir():
            continue
        held = _series_in(image.path, sought)
        drawn = [path for path in objects if wanted[path] & held]
        if len(drawn) > 1:
            listed = ", ".join(path.name for path in drawn[:5])
            raise DataError(
                f"{image.path}: {len(drawn)} segmentations or structure sets were drawn on this series "
                f"({listed}); keep the one to use, or name it with --labels"
            )
        if drawn:
            pairs[image.path] = drawn[0]
    strangers = {path for path in objects if wanted[path]} - set(pairs.values())
    return pairs, frozenset(strangers)


def _series_in(folder: Path, sought: frozenset[str]) -> frozenset[str]:
    """Which of the series lie in a folder; a folder without any is read to its last file."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*")):
        if is_dicom_file(path) and not is_dicom_label(path):
            uid = series_of_file(path)
            if uid in sought:
                found.add(uid)
                break
    return frozenset(found)
