"""The scans of a folder alone: what there is to segment, without labels and further channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError, InputError
from .channels import one_channel
from .dataset_json import find_dataset_json
from .file_role import Entry, is_label_folder
from .layouts import without_hidden_labels
from .listing import list_entries


@dataclass(frozen=True)
class ScanList:
    """What a folder holds for somebody who wants every scan once.

    Args:
        scans: in order of their keys, which are unique.
        left_out: label files and further image channels (_0001, ...) beside them.
    """

    scans: tuple[Entry, ...]
    left_out: tuple[Path, ...]


def list_scans(folder: Path) -> ScanList:
    """The scans below a folder; labels are told from them by the same names as in `discover`. No voxel is read.

    Args:
        folder: a folder of scans, or a data set with folders of images and of labels.

    Raises:
        InputError: there is no scan in it.
        DataError: two files go by one name, such as x.nii.gz and x.mha, or dataset.json is invalid.
    """
    entries = list_entries(folder)
    named = [entry for entry in entries if entry.role != "label" and not _lies_among_labels(entry)]
    images, _ = without_hidden_labels(named) if named else ([], ())
    scans, _ = one_channel(images, is_nnunet=_is_nnunet(folder))
    if not scans:
        found = f"only {len(entries)} label files" if entries else "no file that can be read as a scan"
        raise InputError(f"{folder} holds {found}; expected scans as NIfTI, NRRD, MetaImage, DICOM, PNG or TIFF")
    _require_unique(scans)
    kept = {scan.path for scan in scans}
    return ScanList(tuple(scans), tuple(entry.path for entry in entries if entry.path not in kept))


def _lies_among_labels(entry: Entry) -> bool:
    """Whether a folder between the searched one and the file is one of labels: labelsTr/, case_7/masks/."""
    return any(is_label_folder(part) for part in entry.key.split("/")[:-1])


def _is_nnunet(folder: Path) -> bool:
    """Whether four digits at the end of a name are its channel for sure, here or in imagesTr/ of a data set."""
    documents = [find_dataset_json(place) for place in (folder, folder.resolve().parent)]
    return any(document is not None and document.is_v2 for document in documents)


def _require_unique(scans: Sequence[Entry]) -> None:
    first: dict[str, Path] = {}
    for scan in scans:
        other = first.setdefault(scan.key, scan.path)
        if other != scan.path:
            raise DataError(
                f"{other} and {scan.path} go by one name, {scan.key}, and so would their masks; leave one of "
                "them, or put them into folders of their own"
            )
