"""A folder of images and a folder of labels with equal names."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ....errors import InputError
from ..channels import one_channel
from ..discovery import Discovery
from ..file_role import Entry, is_image_folder, is_label_folder
from ..listing import list_entries
from ..pairing import pair
from .by_names import patient_notes
from .held_out import read_test_set


def read_two_folders(folder: Path, contrast: str | None) -> Discovery | None:
    """The data set in a folder with one sub-folder of images and one of labels; None where there are others.

    Args:
        folder: holds images/ and labels/, imagesTr/ and labelsTr/, CT/ and masks/, ...
        contrast: number of the channel to read of those of nnU-Net; None = the first.

    Raises:
        InputError: there are no images.
        DataError: names are ambiguous.
    """
    two = _image_and_label_folder(folder)
    if two is None:
        return None
    images, labels = two
    layout = f"two folders, {images.name}/ and {labels.name}/ with equal names"
    found = match_two(list_entries(images), list_entries(labels), layout, contrast)
    test_cases, notes = read_test_set(folder, is_nnunet=False)
    return dataclasses.replace(found, notes=(*found.notes, *notes), test_cases=test_cases)


def match_two(
    images: Sequence[Entry], labels: Sequence[Entry], layout: str, contrast: str | None = None
) -> Discovery:
    """Images from one place and labels from another, matched by name.

    Args:
        images: the entries of one place.
        labels: those of the other.
        layout: the layout in words.
        contrast: number of the channel to read of those of nnU-Net; None = the first.

    Raises:
        InputError: there are no images.
        DataError: names are ambiguous.
    """
    kept, notes = one_channel(images, contrast=contrast)
    require_scans(kept)
    cases, orphans = pair(kept, labels)
    return Discovery(layout, cases, orphans, None, (*notes, *patient_notes(kept)))


def require_scans(images: Sequence[Entry]) -> None:
    """Refuse a folder of images without images.

    Raises:
        InputError: there is none.
    """
    if not images:
        raise InputError(
            "the folder of images holds no file that can be read as a scan; expected NIfTI, NRRD, MetaImage, "
            "DICOM, PNG or TIFF"
        )


def _image_and_label_folder(folder: Path) -> tuple[Path, Path] | None:
    inside = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__"))]
    folders = [path for path in inside if path.is_dir()]
    # The test set of nnU-Net is no second pair, unless there is nothing else.
    folders = [path for path in folders if not path.name.endswith("Ts")] or folders
    labels = [path for path in folders if is_label_folder(path.name)]
    images = [path for path in folders if is_image_folder(path.name)]
    if len(labels) == 1 and not images and len(folders) == 2:
        images = [path for path in folders if path not in labels]
    return (images[0], labels[0]) if len(images) == 1 and len(labels) == 1 else None
