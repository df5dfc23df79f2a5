"""The test set that nnU-Net and the Decathlon set apart: imagesTs, and labelsTs if they are given."""

from dataclasses import replace
from pathlib import Path

from ....errors import DataError
from ..channels import one_channel
from ..discovery import FoundCase
from ..given_splits import TEST
from ..listing import list_entries
from ..pairing import pair

IMAGES, LABELS = "imagesTs", "labelsTs"


def read_test_set(
    folder: Path, *, is_nnunet: bool, contrast: str | None = None
) -> tuple[tuple[FoundCase, ...], tuple[str, ...]]:
    """The cases of imagesTs with the labels of labelsTs, and notes.

    Args:
        folder: of the data set.
        is_nnunet: whether four digits at the end of a name are its channel for sure.
        contrast: number of the channel; None = the first.
    """
    if not (folder / IMAGES).is_dir():
        return (), ()
    notes = [f"{IMAGES}/ is left out; prepare it as a path of its own to use it"]
    images, _ = one_channel(
        list_entries(folder / IMAGES), is_nnunet=is_nnunet, contrast=contrast if is_nnunet else None
    )
    labels = list_entries(folder / LABELS) if (folder / LABELS).is_dir() else []
    try:
        cases, orphans = pair(images, labels)
    except DataError:
        # Nobody asked for the test set; it must not keep the rest from being used.
        notes.append(f"the names in {IMAGES}/ and {LABELS}/ do not fit together")
        cases, orphans = pair(images, [])
    if orphans:
        notes.append(f"{len(orphans)} files in {LABELS}/ belong to no image of {IMAGES}/")
    return tuple(replace(case, stem=f"{IMAGES}/{case.stem}", given_splits=(TEST,)) for case in cases), tuple(notes)
