"""The Medical Segmentation Decathlon, and nnU-Net v1, whose dataset.json is nearly the same."""

import dataclasses
from pathlib import Path

from ....errors import DataError
from ....imaging import count_volumes, is_archive
from ..channels import list_channels, require_no_contrast
from ..dataset_json import DATASET_JSON, DatasetJson, find_dataset_json
from ..discovery import Discovery, FoundCase
from ..given_splits import TRAIN
from .beside_list import images_beside, labels_beside
from .held_out import read_test_set
from .listed_files import FileList, find_listed, note_on_tests, notes_on_missing
from .nnunet_v1 import choose_channel_v1


def read_decathlon(folder: Path, contrast: str | None) -> Discovery | None:
    """The data set whose dataset.json lists its training cases; None where there is no such file.

    Args:
        folder: of the data set.
        contrast: channel of nnU-Net v1; None = the first.

    Raises:
        InputError: none of the images is there.
        DataError: the list leads out of the data set, or each file holds several images.
        UsageError: a channel is asked for and there is none.
    """
    document = find_dataset_json(folder)
    if document is None or document.is_v2 or not document.training or not document.has_header:
        return None
    where = FileList(document.path, folder, channels=document.channels)
    found = find_listed(document.training, where)
    cases = tuple(sorted(found.cases, key=lambda case: case.stem))
    kind = "Medical Segmentation Decathlon"
    channel_notes: tuple[str, ...] = ()
    if found.has_channels:
        kind = "nnU-Net v1, the old style of dataset.json"
        cases, channel_notes = choose_channel_v1(cases, document, contrast)
    else:
        require_no_contrast(contrast)
        _require_three_axes(cases[0], document)
    test_cases, test_notes = read_test_set(folder, is_nnunet=found.has_channels)
    unlisted = images_beside(folder, cases, has_channels=found.has_channels)
    notes = [*document.notes, *channel_notes, *test_notes]
    notes += notes_on_missing(found, document.training, DATASET_JSON)
    notes += note_on_tests(document.test, where)
    if unlisted:
        notes.append(f"{len(unlisted)} scans in imagesTr/ are not in {DATASET_JSON} and are left out")
    return Discovery(
        layout=f"{kind}, cases and names from {DATASET_JSON}",
        cases=tuple(dataclasses.replace(case, given_splits=(TRAIN,)) for case in cases),
        orphans=labels_beside(folder, cases),
        class_names=document.class_names or None,
        notes=tuple(notes),
        label_values=document.label_values or None,
        test_cases=test_cases,
        missing=found.missing,
        unlisted=unlisted,
    )


def _require_three_axes(case: FoundCase, document: DatasetJson) -> None:
    """Refuse files that hold a volume for each modality: which one is meant nobody but the user can say."""
    if len(document.channels) < 2 or case.image.is_dir() or is_archive(case.image):
        return
    n_volumes = count_volumes(case.image)
    if n_volumes > 1:
        listed = list_channels(document.channels, n_volumes)
        raise DataError(
            f"{document.path.parent}: each file holds {n_volumes} images ({listed}), but a scan here is one of "
            "them, and the first is not right for everybody; write the one you want to a file of its own for each "
            "case, for example with nibabel: `nib.save(image.slicer[..., 0], path)`"
        )
