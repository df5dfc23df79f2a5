"""Which label file belongs to which scan, by their names."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...errors import DataError
from ...imaging import is_archive
from .discovery import FoundCase
from .file_role import Entry, folder_of_patient
from .given_splits import splits_of_key
from .references import pair_by_reference

LARGEST_FOLDER_OF_ONE_PATIENT = 4

Key = Callable[[Entry], str]


def _key(entry: Entry) -> str:
    return entry.key


def _base(entry: Entry) -> str:
    return entry.base


def _name(entry: Entry) -> str:
    return entry.name


# From the surest agreement of names to the loosest; a pair made in one round is out of the next.
_ROUNDS: tuple[tuple[Key, Key], ...] = ((_key, _key), (_key, _base), (_base, _base), (_base, _key))


def pair(images: Sequence[Entry], labels: Sequence[Entry]) -> tuple[tuple[FoundCase, ...], tuple[Path, ...]]:
    """The cases, one for each image, and the labels that belong to none.

    Raises:
        DataError: labels fit several images or several labels one image, or there are labels and none fits.
    """
    label_of, strangers = pair_by_reference(images, labels)
    taken = set(label_of.values())
    for image_key, label_key in _ROUNDS:
        open_images = _grouped([entry for entry in images if entry.path not in label_of], image_key)
        open_labels = _grouped([entry for entry in labels if entry.path not in taken], label_key)
        for name in open_images.keys() & open_labels.keys():
            image, label = _only_pair(open_images[name], open_labels[name])
            # Contours of another series would fall somewhere on this one, and nothing would show it.
            if label in strangers and (image.is_dir() or is_archive(image)):
                continue
            label_of[image] = label
            taken.add(label)
    if labels and images and not taken:
        raise DataError(
            f"{_count(len(labels), 'label file')} found, but none goes by the name of a scan, such as "
            f"{labels[0].path.name} and {images[0].path.name}; give them equal names, pass --labels with the "
            "folder or file of labels, or name the scans alone"
        )
    return cases_of(images, label_of), tuple(label.path for label in labels if label.path not in taken)


def cases_of(images: Sequence[Entry], label_of: Mapping[Path, Path]) -> tuple[FoundCase, ...]:
    """One case for each image, with its name, its patient and the part of the data set that its folders name.

    Args:
        images: of one data set.
        label_of: image -> its labels; images without labels are absent.

    Raises:
        DataError: two images go by one name.
    """
    patients = _patients(images)
    return tuple(
        FoundCase(image.path, label_of.get(image.path), patients[image.path], stem, splits_of_key(image.key))
        for image, stem in zip(images, _stems(images), strict=True)
    )


def shares_patients_by_folder(images: Sequence[Entry]) -> bool:
    """Whether scans lie in sub-folders of so few that each folder must be one patient with several scans."""
    folders = Counter(folder_of_patient(image.key) for image in images)
    folders.pop(None, None)
    return len(folders) > 1 and 1 < max(folders.values()) <= LARGEST_FOLDER_OF_ONE_PATIENT


def _grouped(entries: Sequence[Entry], key: Key) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[key(entry)].append(entry)
    return groups


def _only_pair(images: list[Entry], labels: list[Entry]) -> tuple[Path, Path]:
    if len(images) == 1 and len(labels) == 1:
        return images[0].path, labels[0].path
    names = ", ".join(entry.path.name for entry in (*images, *labels)[:6])
    raise DataError(
        f"{_count(len(images), 'scan')} and {_count(len(labels), 'label file')} go by one name ({names}); "
        "put each kind of image into a folder of its own, or name the files and pass --labels"
    )


def _stems(images: Sequence[Entry]) -> list[str]:
    for key in (_name, _key):
        stems = [key(image) for image in images]
        if len(set(stems)) == len(stems):
            return stems
    double = next(stem for stem, count in Counter(stems).items() if count > 1)
    raise DataError(
        f"{stems.count(double)} scans are called {double}, such as one .nii.gz and one .nrrd; "
        "leave one of each, or put them into folders of their own"
    )


def _patients(images: Sequence[Entry]) -> dict[Path, str]:
    if not shares_patients_by_folder(images):
        return {image.path: image.patient for image in images}
    return {
        image.path: image.patient
        if image.patient.startswith("sub-")
        else folder_of_patient(image.key) or image.patient
        for image in images
    }


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
