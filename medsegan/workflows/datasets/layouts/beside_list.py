"""What lies in imagesTr and labelsTr of a data set and is not in its list."""

from collections.abc import Collection
from pathlib import Path

from ..discovery import FoundCase
from ..file_role import read_channel
from ..listing import list_entries

IMAGES, LABELS = "imagesTr", "labelsTr"


def labels_beside(folder: Path, cases: Collection[FoundCase]) -> tuple[Path, ...]:
    """The label files in labelsTr that belong to none of the cases."""
    used = {case.label.resolve() for case in cases if case.label is not None}
    if not (folder / LABELS).is_dir():
        return ()
    return tuple(entry.path for entry in list_entries(folder / LABELS) if entry.path.resolve() not in used)


def images_beside(folder: Path, cases: Collection[FoundCase], *, has_channels: bool) -> tuple[Path, ...]:
    """The scans in imagesTr that are none of the cases.

    Args:
        folder: of the data set.
        cases: of the list.
        has_channels: whether names end in a channel; then the further channels of a case belong to it.
    """
    if not (folder / IMAGES).is_dir():
        return ()
    used = {case.image.resolve() for case in cases}
    entries = list_entries(folder / IMAGES)
    names = {read_channel(entry.key)[0] for entry in entries if entry.path.resolve() in used}
    others = [entry for entry in entries if entry.path.resolve() not in used]
    return tuple(entry.path for entry in others if not (has_channels and read_channel(entry.key)[0] in names))
