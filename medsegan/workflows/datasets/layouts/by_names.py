"""Images and labels told apart by their names alone, and scans without any labels."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ....errors import InputError
from ....imaging import is_dicom_label
from ..channels import one_channel
from ..discovery import Discovery
from ..file_role import Entry, read_role
from ..pairing import pair, shares_patients_by_folder
from .contrasts import one_contrast

_ONE_PATIENT_A_FOLDER = "several scans in one sub-folder are taken for one patient"
_ONE_PATIENT_A_SCAN = "each scan is taken for a patient of its own"
NOTES_ON_PATIENTS = (_ONE_PATIENT_A_FOLDER, _ONE_PATIENT_A_SCAN)
"""What is assumed of patients where names alone tell them apart."""


def read_names(entries: Sequence[Entry], where: Path, contrast: str | None = None) -> Discovery:
    """Images and labels told apart by their names alone.

    Args:
        entries: images and labels, mixed.
        where: what the user named, for the message.
        contrast: which of several images of a case: number of a channel of nnU-Net, or the last word of a name;
            None = the first channel, or the only one.

    Raises:
        InputError: there is no scan among them.
        DataError: names are ambiguous.
        UsageError: there is no such contrast.
    """
    labels = [entry for entry in entries if entry.role == "label"]
    images = [entry for entry in entries if entry.role != "label"]
    if not images:
        found = f"only {len(labels)} label files" if labels else "no file"
        raise InputError(
            f"{where} holds {found} that can be read as a scan; expected NIfTI, NRRD, MetaImage, DICOM, PNG or "
            "TIFF files"
        )
    images, strays = without_hidden_labels(images)
    images, notes = one_contrast(images, labels, contrast) or one_channel(images, contrast=contrast)
    cases, orphans = pair(images, labels)
    if labels and all(is_dicom_label(label.path) for label in labels):
        layout = _describe(images) + " with DICOM segmentations or structure sets beside them"
    elif labels and all(label.path.is_dir() for label in labels):
        layout = _describe(images) + " with a folder of label files, one for each class, beside each"
    elif labels:
        layout = f"one folder, images and labels told apart by names: {_pattern(images)} and {_pattern(labels)}"
    else:
        layout = _describe(images) + " without labels"
    return Discovery(layout, cases, orphans + strays, None, (*notes, *patient_notes(images)))


def without_hidden_labels(images: Sequence[Entry]) -> tuple[list[Entry], tuple[Path, ...]]:
    """The images without, and the paths of, what has a word for labels inside its name, such as case_seg_2.

    If all names have one it means nothing, and all are kept.
    """
    doubtful = [image for image in images if _has_label_word(image.key)]
    if len(doubtful) == len(images):
        return list(images), ()
    return [image for image in images if image not in doubtful], tuple(image.path for image in doubtful)


def _has_label_word(key: str) -> bool:
    stem = key.rpartition("/")[2]
    return any(read_role(word)[0] == "label" for word in stem.replace("-", "_").replace(".", "_").split("_"))


def patient_notes(images: Sequence[Entry]) -> tuple[str, ...]:
    """What is assumed of the patients of these images, where it is not plain."""
    if shares_patients_by_folder(images):
        return (_ONE_PATIENT_A_FOLDER,)
    if any("/" in image.base for image in images) and len({image.patient for image in images}) == len(images):
        return (_ONE_PATIENT_A_SCAN,)
    return ()


def _describe(images: Sequence[Entry]) -> str:
    n_series = sum(image.path.is_dir() for image in images)
    if n_series == 0:
        return "volume files"
    return "folders of DICOM series" if n_series == len(images) else "volume files and folders of DICOM series"


def _pattern(entries: Sequence[Entry]) -> str:
    """How most names end or begin, with a star for the rest: *_ct."""
    patterns: Counter[str] = Counter()
    for entry in entries:
        stem, base = entry.key.rpartition("/")[2], entry.base.rpartition("/")[2]
        if stem == base or entry.role == "unsaid":
            patterns["*"] += 1
        elif stem.startswith(base):
            patterns["*" + stem[len(base) :]] += 1
        elif stem.endswith(base):
            patterns[stem[: -len(base)] + "*"] += 1
        else:
            patterns[stem] += 1
    return patterns.most_common(1)[0][0]
