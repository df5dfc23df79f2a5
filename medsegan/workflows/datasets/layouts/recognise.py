"""Which layout a folder has: each is tried in turn, from the one that says most of itself to plain names."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from ....imaging import is_dicom_file, is_volume_file
from ..dataset_json import find_dataset_json
from ..discovery import Discovery
from ..listing import list_entries
from .bids import read_bids
from .by_names import read_names
from .datalist import find_datalist
from .decathlon import read_decathlon
from .nnunet import read_nnunet
from .two_folders import read_two_folders

Layout = Callable[[Path, str | None], Discovery | None]

LAYOUTS: tuple[Layout, ...] = (read_nnunet, read_decathlon, find_datalist, read_bids)
"""Those that name their cases or their folders by a rule of their own."""


def read_folder(folder: Path, contrast: str | None = None) -> Discovery:
    """What a folder holds, by the first layout that it has.

    Args:
        folder: of one data set.
        contrast: which of several images of a case; None = the only one, or the first channel.

    Raises:
        InputError: there is no scan in it.
        DataError: names are ambiguous or a list of cases is invalid.
        UsageError: there is no such contrast.
    """
    for read in LAYOUTS:
        found = read(folder, contrast)
        if found is not None:
            return found
    two = read_two_folders(folder, contrast)
    if two is not None:
        return _with_names(two, folder)
    inner = _only_folder_with_scans(folder)
    if inner is not None:
        return read_folder(inner, contrast)
    return _with_names(read_names(list_entries(folder), folder, contrast), folder)


def _with_names(found: Discovery, folder: Path) -> Discovery:
    """The discovery with the names of a dataset.json that lists no cases."""
    document = find_dataset_json(folder)
    if document is None:
        return found
    return dataclasses.replace(
        found,
        class_names=document.class_names or None,
        label_values=document.label_values or None,
        notes=(*found.notes, *document.notes),
    )


def _only_folder_with_scans(folder: Path) -> Path | None:
    """The one sub-folder, where a folder holds nothing else: data/CT/images and data/CT/labels."""
    children = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__"))]
    folders = [path for path in children if path.is_dir()]
    if (
        len(folders) != 1
        or (folder / "dataset.json").is_file()
        or any(is_volume_file(path) or is_dicom_file(path) for path in children if path.is_file())
    ):
        return None
    return folders[0]
