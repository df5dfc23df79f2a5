"""nnU-Net v2: imagesTr, labelsTr, imagesTs and a dataset.json that names channels and labels."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ....errors import DataError
from ..channels import one_channel
from ..dataset_json import DATASET_JSON, DatasetJson, find_dataset_json
from ..discovery import Discovery, FoundCase
from ..file_role import Entry
from ..given_splits import SPLITS_FINAL, TRAIN, with_folds
from ..listing import list_entries
from ..pairing import pair
from .beside_list import IMAGES, LABELS
from .by_names import patient_notes
from .held_out import read_test_set
from .listed_files import FileList, find_listed, notes_on_missing
from .two_folders import require_scans


def read_nnunet(folder: Path, contrast: str | None) -> Discovery | None:
    """The data set in a folder with a dataset.json of nnU-Net v2; None where there is none.

    Args:
        folder: DatasetXXX_Name.
        contrast: number or name of the channel to read; None = the first.

    Raises:
        InputError: there are no images.
        DataError: names are ambiguous, or dataset.json or splits_final.json is invalid.
        UsageError: there is no such channel.
    """
    document = find_dataset_json(folder)
    if document is None or not document.is_v2:
        return None
    if document.training:
        found = _read_listed(folder, document, contrast)
    elif (folder / IMAGES).is_dir():
        found = _read_folders(folder, document, contrast)
    else:
        return None
    is_told = any(case.given_splits for case in found.cases)
    cases = found.cases if is_told else [dataclasses.replace(case, given_splits=(TRAIN,)) for case in found.cases]
    cases, split_notes = with_folds(cases, folder / SPLITS_FINAL)
    test_cases, test_notes = read_test_set(folder, is_nnunet=True, contrast=_number(found.cases, contrast))
    return dataclasses.replace(
        found,
        cases=cases,
        class_names=document.class_names or None,
        notes=(*found.notes, *document.notes, *split_notes, *test_notes),
        label_values=document.label_values or None,
        test_cases=test_cases,
    )


def _number(cases: Sequence[FoundCase], contrast: str | None) -> str | None:
    """The number of the channel that was chosen by name, as the files of the training have it."""
    if contrast is None or contrast.isdigit():
        return contrast
    digits = {case.image.name.split(".")[0][-4:] for case in cases}
    return next(iter(digits)).lstrip("0") or "0" if len(digits) == 1 else None


def _read_folders(folder: Path, document: DatasetJson, contrast: str | None) -> Discovery:
    images, n_others = _with_ending(list_entries(folder / IMAGES), document)
    labels, n_other_labels = (
        _with_ending(list_entries(folder / LABELS), document) if (folder / LABELS).is_dir() else ([], 0)
    )
    kept, notes = one_channel(images, is_nnunet=True, contrast=contrast, names=document.channels)
    require_scans(kept)
    cases, orphans = pair(kept, labels)
    if n_others + n_other_labels:
        notes = (
            *notes,
            f"{n_others + n_other_labels} files do not end in {document.file_ending} and are left out",
        )
    beside = f" and {LABELS}/" if (folder / LABELS).is_dir() else ""
    layout = f"nnU-Net v2, {IMAGES}/{beside} with {DATASET_JSON}"
    return Discovery(layout, cases, orphans, None, (*notes, *patient_notes(kept)))


def _with_ending(entries: Sequence[Entry], document: DatasetJson) -> tuple[list[Entry], int]:
    """The entries whose files end as dataset.json says, and the number of the others.

    Raises:
        DataError: there are files, but none ends so.
    """
    ending = document.file_ending
    if ending is None:
        return list(entries), 0
    kept = [entry for entry in entries if entry.path.name.lower().endswith(ending.lower())]
    if entries and not kept:
        raise DataError(
            f"{document.path} says that files end in {ending!r}, but there are only others, such as "
            f"{entries[0].path.name}; correct file_ending"
        )
    return kept, len(entries) - len(kept)


def _read_listed(folder: Path, document: DatasetJson, contrast: str | None) -> Discovery:
    """The cases of the optional "dataset" of dataset.json, whose paths may lead anywhere."""
    listed = document.training or ()
    where = FileList(document.path, folder, may_leave=True, contrast=contrast, channels=document.channels)
    found = find_listed(listed, where)
    cases = tuple(sorted(found.cases, key=lambda case: case.stem))
    return Discovery(
        layout=f'nnU-Net v2, cases from "dataset" in {DATASET_JSON}',
        cases=cases,
        notes=(*found.notes, *notes_on_missing(found, listed, DATASET_JSON)),
        missing=found.missing,
    )
