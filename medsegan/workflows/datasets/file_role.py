"""What the name of a file says about it: an image or a label, and of what."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .given_splits import split_of_name

Role = Literal["image", "label", "unsaid"]

IMAGE_WORDS = frozenset(
    ["ct", "image", "images", "img", "imgs", "imaging", "im", "mr", "mri", "scan", "volume", "vol"]
)
LABEL_WORDS = frozenset(
    [
        "annotation",
        "annotations",
        "dseg",
        "gt",
        "groundtruth",
        "label",
        "labels",
        "lbl",
        "mask",
        "masks",
        "msk",
        "probseg",
        "seg",
        "segs",
        "segmentation",
        "segmentations",
    ]
)
_SUFFIX = re.compile(r"(?P<rest>.+?)[_\-. ]+(?P<word>[A-Za-z]+)")
_CHANNEL = re.compile(r"(?P<rest>.+)_(?P<channel>\d{4})")
_PREFIX = re.compile(r"(?P<word>[A-Za-z]+)(?:[_\-. ]+(?P<rest>.+)|(?P<number>\d+))")
_BIDS_SUBJECT = re.compile(r"(?:^|[/_])(sub-[A-Za-z0-9]+)(?=[/_]|$)")


@dataclass(frozen=True)
class Entry:
    """A file or a folder of DICOM files that holds one image or one label volume.

    Args:
        path: where it is.
        key: its path below the folder that was searched, without the suffix: what tells it from its neighbours.
        base: the key without the word for image or label, `liver_07_ct` -> `liver_07`: what a scan and its labels
            share.
        name: what the case is called: the base, or the key if the word stands in front.
        role: what that word says.
        patient: the name of whoever was scanned, as far as file and folder names tell.
    """

    path: Path
    key: str
    base: str
    name: str
    role: Role
    patient: str


def read_entry(path: Path, key: str, *, is_series: bool = False) -> Entry:
    """What the name says.

    Args:
        path: the file, or the folder of a DICOM series.
        key: path below the searched folder with "/" between its parts and without the suffix of the file.
        is_series: whether it is a folder of DICOM files; then the first folder below the searched one is the
            patient.
    """
    folder, _, stem = key.rpartition("/")
    role, rest = read_role(stem)
    if not is_series:
        folder_role, folder = _read_folders(folder)
        role = folder_role if role == "unsaid" or folder_role == "label" else role
    # Files called just "image" or "label" are told apart by their folder: case_07/image.nii.gz.
    base = "/".join(part for part in (folder, rest) if part) or path.resolve().parent.name
    # A number alone is a poor name: img0007 stays what it is, although label0007 belongs to it.
    name = base if stem.startswith(rest) else key
    subject = _BIDS_SUBJECT.search(key)
    if subject:
        patient = subject.group(1)
    elif is_series:
        patient = key.split("/")[0]
    else:
        patient = name
    return Entry(path, key, base, name, role, patient)


def read_label_entry(path: Path, key: str) -> Entry:
    """An entry that is a label whatever its name says: a DICOM segmentation, a folder with a file for each class.

    Args:
        path: the file or folder.
        key: as in `read_entry`.
    """
    entry = read_entry(path, key)
    if entry.role == "label":
        return entry
    folder, _, stem = key.rpartition("/")
    rest = read_role(stem)[1] if entry.role == "image" else stem
    return dataclasses.replace(entry, base="/".join(part for part in (folder, rest) if part), role="label")


def read_role(stem: str) -> tuple[Role, str]:
    """The role that a file name gives and the name without the word for it.

    >>> read_role("liver_07_ct"), read_role("label0012"), read_role("seg"), read_role("case_07")
    (('image', 'liver_07'), ('label', '0012'), ('label', ''), ('unsaid', 'case_07'))
    """
    if _role_of(stem) != "unsaid":
        return _role_of(stem), ""
    suffix = _SUFFIX.fullmatch(stem)
    if suffix and _role_of(suffix["word"]) != "unsaid":
        return _role_of(suffix["word"]), suffix["rest"]
    prefix = _PREFIX.fullmatch(stem)
    if prefix and _role_of(prefix["word"]) != "unsaid":
        return _role_of(prefix["word"]), prefix["rest"] or prefix["number"]
    return "unsaid", stem


def read_channel(stem: str) -> tuple[str, int | None]:
    """The case and the channel of an nnU-Net name, `case_07_0000` -> ("case_07", 0); None without a channel."""
    match = _CHANNEL.fullmatch(stem)
    return (match["rest"], int(match["channel"])) if match else (stem, None)


def is_label_folder(name: str) -> bool:
    """Whether the name of a folder says that it holds labels: labels, labelsTr, masks, liver_seg."""
    return read_role(_without_part(name))[0] == "label"


def is_image_folder(name: str) -> bool:
    """Whether the name of a folder says that it holds images: images, imagesTr, CT."""
    return read_role(_without_part(name))[0] == "image"


def folder_of_patient(key: str) -> str | None:
    """The outermost folder of a key that may stand for a patient: not train, not images; None without one."""
    parts = key.split("/")[:-1]
    return next((part for part in parts if split_of_name(part) is None and _role_of(part) == "unsaid"), None)


def without_role_folders(key: str) -> str:
    """A key without the folder that says what it holds: train/images/a -> train/a."""
    folder, _, stem = key.rpartition("/")
    return "/".join(part for part in (_read_folders(folder)[1], stem) if part)


def _read_folders(folder: str) -> tuple[Role, str]:
    """The role of files in folders such as `train/masks`, and the folders without that word: `train`.

    Only a whole word counts, and the innermost one: gt_007 may well be a patient.
    """
    parts = folder.split("/")
    for index in reversed(range(len(parts))):
        role = _role_of(_without_part(parts[index]))
        if role != "unsaid":
            return role, "/".join(parts[:index] + parts[index + 1 :])
    return "unsaid", folder


def _without_part(name: str) -> str:
    """The name of a folder of nnU-Net without its part: labelsTr, labelsTs -> labels."""
    return name.removesuffix("Tr").removesuffix("Ts")


def _role_of(word: str) -> Role:
    lower = word.lower()
    if lower in LABEL_WORDS:
        return "label"
    return "image" if lower in IMAGE_WORDS else "unsaid"
