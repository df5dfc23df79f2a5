"""The Medical Segmentation Decathlon, and nnU-Net v1, whose dataset.json is nearly the same."""

import dataclasses
from pathlib import Path

from ....errors import DataError
from ....imaging import count_volumes
from ..channels import channel_note, chosen_channel, list_channels, require_no_contrast
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
        contrast: number or name of the channel; None = the first of nnU-Net v1, or the only one.

    Raises:
        InputError: none of the images is there.
        DataError: the list leads out of the data set, or each file holds several images and none was chosen.
        UsageError: a channel is asked for and there is none.
    """
    document = find_dataset_json(folder)
    if document is None or document.is_v2 or not document.training or not document.has_header:
        return None
    where = FileList(document.path, folder, channels=document.channels)
    found = find_listed(document.training, where)
    cases = tuple(sorted(found.cases, key=lambda case: case.stem))
    kind = "Medical Segmentation Decathlon"
    if found.has_channels:
        kind = "nnU-Net v1, the old style of dataset.json"
        cases, channel_notes = choose_channel_v1(cases, document, contrast)
    else:
        channel, channel_notes = _chosen_volume(cases[0], document, contrast)
        cases = tuple(dataclasses.replace(case, channel=channel) for case in cases)
    test_cases, test_notes = read_test_set(folder, is_nnunet=found.has_channels)
    test_cases = tuple(dataclasses.replace(case, channel=cases[0].channel) for case in test_cases)
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


def _chosen_volume(
    case: FoundCase, document: DatasetJson, contrast: str | None
) -> tuple[int | None, tuple[str, ...]]:
    """The volume to read of files that hold one for each modality, and a note; None where they hold one."""
    n_volumes = 1 if case.is_dicom else count_volumes(case.image)
    if n_volumes == 1 or (contrast is None and len(document.channels) < 2):
        require_no_contrast(contrast)
        return None, ()
    if contrast is None:
        listed, first = list_channels(document.channels, n_volumes), document.channels.get(0, "0")
        raise DataError(
            f"{document.path.parent}: each file holds {n_volumes} images ({listed}), but a scan here is one of "
            f"them, and the first is not right for everybody; choose one, such as --contrast {first}, and prepare "
            "each as a domain of its own"
        )
    chosen = chosen_channel(contrast, document.channels, n_volumes)
    return chosen, channel_note(chosen, contrast, document.channels, n_volumes)
