"""The usual layouts of a data set, each recognised and read by one function."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ...errors import DataError, InputError
from ...imaging import is_dicom_label
from .dataset_json import DatasetJson, read_dataset_json
from .discovery import Discovery, FoundCase
from .file_role import Entry, read_channel, read_entry, read_role
from .listing import is_dicom_file, is_volume_file, list_entries
from .pairing import pair, shares_patients_by_folder

DATASET_JSON = "dataset.json"
_ONE_PATIENT_A_FOLDER = "several scans in one sub-folder are taken for one patient"
_ONE_PATIENT_A_SCAN = "each scan is taken for a patient of its own"
NOTES_ON_PATIENTS = (_ONE_PATIENT_A_FOLDER, _ONE_PATIENT_A_SCAN)
"""What is assumed of patients where names alone tell them apart."""


def read_folder(folder: Path) -> Discovery:
    """What a folder holds: nnU-Net or MSD data set, two folders, names with suffixes, or scans without labels.

    Raises:
        InputError: there is no scan in it.
        DataError: names are ambiguous or dataset.json is invalid.
    """
    document = read_dataset_json(folder / DATASET_JSON) if (folder / DATASET_JSON).is_file() else None
    if document is not None and document.training:
        return _read_listed(folder, document)
    two = _image_and_label_folder(folder)
    if two is not None:
        return _with_names(_read_two(*two, document), document)
    inner = _only_folder_with_scans(folder) if document is None else None
    return (
        read_folder(inner)
        if inner is not None
        else _with_names(read_names(list_entries(folder), folder), document)
    )


def read_names(entries: Sequence[Entry], where: Path) -> Discovery:
    """Images and labels told apart by their names alone.

    Args:
        entries: images and labels, mixed.
        where: what the user named, for the message.

    Raises:
        InputError: there is no scan among them.
    """
    labels = [entry for entry in entries if entry.role == "label"]
    images, notes = first_channels([entry for entry in entries if entry.role != "label"])
    if not images:
        found = f"only {len(labels)} label files" if labels else "no file"
        raise InputError(
            f"{where} holds {found} that can be read as a scan; expected NIfTI, NRRD, MetaImage, DICOM, PNG or "
            "TIFF files"
        )
    images, strays = without_hidden_labels(images)
    cases, orphans = pair(images, labels)
    if labels and all(is_dicom_label(label.path) for label in labels):
        layout = _describe(images) + " with DICOM segmentations or structure sets beside them"
    elif labels and all(label.path.is_dir() for label in labels):
        layout = _describe(images) + " with a folder of label files, one for each class, beside each"
    elif labels:
        layout = f"one folder, images and labels told apart by names: {_pattern(images)} and {_pattern(labels)}"
    else:
        layout = _describe(images) + " without labels"
    return Discovery(layout, cases, orphans + strays, None, (*notes, *_patient_notes(images)))


def read_two_folders(
    images: Sequence[Entry], labels: Sequence[Entry], layout: str, is_nnunet: bool = False
) -> Discovery:
    """Images from one place and labels from another, matched by name.

    Args:
        images: the entries of one place.
        labels: those of the other.
        layout: the layout in words.
        is_nnunet: whether four digits at the end of an image's name are its channel for sure.

    Raises:
        InputError: there are no images.
    """
    kept, notes = first_channels(images, is_nnunet)
    if not kept:
        raise InputError(
            "the folder of images holds no file that can be read as a scan; expected NIfTI, NRRD, MetaImage, "
            "DICOM, PNG or TIFF"
        )
    cases, orphans = pair(kept, labels)
    return Discovery(layout, cases, orphans, None, (*notes, *_patient_notes(kept)))


def first_channels(images: Sequence[Entry], is_nnunet: bool = False) -> tuple[list[Entry], tuple[str, ...]]:
    """Images without the further channels of nnU-Net (_0001, ...), and a note where there are some.

    Args:
        images: all images of one place.
        is_nnunet: the four digits are channels for sure; otherwise they are only taken for channels if all names
            have them and at least two cases have the same ones, since img_0000, img_0001, ... are mostly different
            scans.
    """
    if not images:
        return [], ()
    channels = {image.path: read_channel(image.key) for image in images}
    numbers: dict[str, set[int | None]] = {}
    for case, channel in channels.values():
        numbers.setdefault(case, set()).add(channel)
    sets = list(numbers.values())
    is_regular = all(one == sets[0] and 0 in one and None not in one for one in sets)
    if not (is_nnunet or (is_regular and (len(sets) > 1 or sets[0] == {0}))):
        return list(images), ()
    kept: list[Entry] = []
    for image in images:
        case, channel = channels[image.path]
        if channel is None:
            kept.append(image)
        elif channel == 0:
            named = read_entry(image.path, case)
            kept.append(dataclasses.replace(image, base=case, name=case, patient=named.patient))
    n_left = len(images) - len(kept)
    if not n_left:
        return kept, ()
    return kept, (f"{n_left} further image channels are left out; channel 0000 alone is read",)


def _read_listed(folder: Path, document: DatasetJson) -> Discovery:
    cases: list[FoundCase] = []
    missing = 0
    for image_name, label_name in document.training or ():
        image = _listed_file(folder, image_name)
        if image is None:
            missing += 1
            continue
        label = _listed_file(folder, label_name) if label_name else None
        entry = read_entry(image, case_name(image_name))
        cases.append(FoundCase(image, label, entry.patient, entry.key))
    if not cases:
        raise InputError(f"none of the {missing} images that {folder / DATASET_JSON} lists is there")
    unlabeled = sum(case.label is None for case in cases)
    notes = [*document.notes, *_test_images_note(folder)]
    if missing:
        notes.append(f"{missing} images that dataset.json lists are not there")
    if unlabeled:
        notes.append(f"{unlabeled} cases of dataset.json have no label file")
    listed = tuple(sorted(cases, key=lambda case: case.stem))
    layout = "Medical Segmentation Decathlon, cases and names from dataset.json"
    return Discovery(layout, listed, (), document.class_names or None, tuple(notes))


def case_name(name: str) -> str:
    """The case that a path of dataset.json is called by: the file name without suffixes."""
    stem = Path(name).name
    for suffix in (".gz", ".nii", ".nrrd", ".mha"):
        stem = stem.removesuffix(suffix)
    return stem


def _listed_file(folder: Path, name: str) -> Path | None:
    """The file, or the one with nnU-Net's channel 0000 in its name, which version 1 leaves out of the list."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            f"{folder / DATASET_JSON} lists {name}, which lies outside of the data set; correct the path"
        )
    stem = case_name(name)
    for candidate in (path, path.with_name(f"{stem}_0000{path.name[len(stem) :]}")):
        if candidate.exists():
            return candidate
    return None


def _read_two(images: Path, labels: Path, document: DatasetJson | None) -> Discovery:
    is_nnunet = document is not None and document.kind == "nnU-Net v2"
    if is_nnunet:
        layout = f"nnU-Net v2, {images.name}/ and {labels.name}/ with dataset.json"
    else:
        layout = f"two folders, {images.name}/ and {labels.name}/ with equal names"
    found = read_two_folders(list_entries(images), list_entries(labels), layout, is_nnunet)
    return dataclasses.replace(found, notes=(*found.notes, *_test_images_note(images.parent)))


def _with_names(found: Discovery, document: DatasetJson | None) -> Discovery:
    if document is None:
        return found
    return dataclasses.replace(
        found, class_names=document.class_names or None, notes=(*found.notes, *document.notes)
    )


def _image_and_label_folder(folder: Path) -> tuple[Path, Path] | None:
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    labels = [path for path in folders if is_label_folder(path)]
    images = [path for path in folders if read_role(path.name.removesuffix("Tr"))[0] == "image"]
    if len(labels) == 1 and not images and len(folders) == 2:
        images = [path for path in folders if path not in labels]
    return (images[0], labels[0]) if len(images) == 1 and len(labels) == 1 else None


def is_label_folder(folder: Path) -> bool:
    """Whether the name of a folder says that it holds labels: labels, labelsTr, masks, liver_seg."""
    return read_role(folder.name.removesuffix("Tr"))[0] == "label"


def _only_folder_with_scans(folder: Path) -> Path | None:
    """The one sub-folder, where a folder holds nothing else: data/CT/images and data/CT/labels."""
    children = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    folders = [path for path in children if path.is_dir()]
    if len(folders) != 1 or any(
        is_volume_file(path) or is_dicom_file(path) for path in children if path.is_file()
    ):
        return None
    return folders[0]


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


def _test_images_note(folder: Path) -> tuple[str, ...]:
    if not (folder / "imagesTs").is_dir():
        return ()
    return ("imagesTs/ is left out; prepare it as a path of its own to use it",)


def _patient_notes(images: Sequence[Entry]) -> tuple[str, ...]:
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
