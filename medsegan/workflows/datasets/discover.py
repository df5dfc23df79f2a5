"""Find the scans and labels in the files and folders that a user names."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ...errors import DataError, InputError, UsageError
from ...imaging import is_dicom_index, is_picture_file
from .channels import require_no_contrast
from .dataset_json import DATASET_JSON
from .discovery import Discovery, FoundCase
from .file_role import Entry, is_label_folder
from .given_splits import split_of_name
from .layouts import is_bids, match_two, read_bids, read_datalist, read_folder, read_names
from .listing import entries_of_files, list_entries, list_pictures, list_strangers, require_apart
from .patients import told_by_patient_id

__all__ = ["Discovery", "FoundCase", "discover"]


def discover(paths: Sequence[Path], labels: Path | None = None, contrast: str | None = None) -> Discovery:
    """Which scans there are, which labels belong to them, and by which layout they were recognised.

    Known are nnU-Net v1 and v2, the Medical Segmentation Decathlon, MONAI datalists, BIDS, two folders with equal
    names, names with a word for image or label at one end, one folder per case, volume files, and folders of DICOM
    series. No voxel is read; of each DICOM series one header is.

    Args:
        paths: files and folders; two folders of which one is called labels, masks or the like belong together; a
            datalist (.json) may be followed by the folder that its paths are relative to.
        labels: folder of label files, or the one label file of a single scan; None = look for them by name.
        contrast: which of several images of a case: the number or name of a channel, a suffix of BIDS; None = the
            only one, or the first channel.

    Raises:
        InputError: a path is not there or holds no scan.
        DataError: names are ambiguous, no label fits, or two data sets name their labels differently.
        UsageError: there is no such contrast, or labels are given for a data set that lists its own.
    """
    if not paths:
        raise InputError("no scan was named; pass files or folders, such as `medsegan prepare ct_dir/`")
    for path in (*paths, *([labels] if labels is not None else [])):
        if not path.exists():
            raise InputError(f"there is no file or folder {path}; check the path")
    paths = [path.parent if is_dicom_index(path) else path for path in paths]
    label_folders = [path for path in paths if path.is_dir() and is_label_folder(path.name)]
    if labels is None and len(paths) == 2 and len(label_folders) == 1 and all(path.is_dir() for path in paths):
        labels = label_folders[0]
        paths = [path for path in paths if path != labels]
    if any(_is_list(path) for path in paths):
        found = _discover_listed(paths, labels, contrast)
    elif labels is not None:
        found = _discover_with_labels(paths, labels, contrast)
    else:
        found = _discover_each(paths, contrast)
    require_apart(case.image for case in found.cases)
    found = told_by_patient_id(found)
    notes = list(found.notes)
    if found.orphans:
        notes.append(f"{len(found.orphans)} label files belong to no scan and are left out")
    pictures = _pictures_beside(found, paths if labels is None else [*paths, labels])
    if pictures:
        notes.append(
            f"{len(pictures)} pictures (PNG, TIFF) beside the scans are left out, since nothing in them says on "
            "which slice they lie and which way up; labels of slices are read as a volume, such as NIfTI"
        )
    strangers = [path for folder in paths if folder.is_dir() for path in list_strangers(folder)]
    if strangers:
        notes.append(
            f"{len(strangers)} files without a suffix are no DICOM and left out; empty or damaged scans may be "
            "among them"
        )
    return dataclasses.replace(found, notes=tuple(notes), pictures=pictures)


def _pictures_beside(found: Discovery, paths: Sequence[Path]) -> tuple[Path, ...]:
    """The pictures that nothing is made of, where scans are volumes: labels of their slices, or previews."""
    cases = (*found.cases, *found.test_cases)
    if any(is_picture_file(case.image) for case in cases):
        return ()
    used = {path.resolve() for case in cases for path in (case.image, case.label) if path is not None}
    pictures = {path.resolve(): path for folder in paths if folder.is_dir() for path in list_pictures(folder)}
    return tuple(path for place, path in pictures.items() if used.isdisjoint((place, place.parent)))


def _is_list(path: Path) -> bool:
    return path.suffix.lower() == ".json" and path.is_file()


def _discover_listed(paths: Sequence[Path], labels: Path | None, contrast: str | None) -> Discovery:
    """The cases of one list, or of the data set that a dataset.json belongs to."""
    if labels is not None:
        raise UsageError(f"{paths[0].name} names its labels itself; leave --labels out")
    first, *rest = paths
    if not _is_list(first) or len(rest) > 1 or not all(path.is_dir() for path in rest):
        raise UsageError(
            "a list of cases (.json) stands alone, or before the one folder that its paths are relative to; "
            "prepare other data as a domain of its own"
        )
    if first.name == DATASET_JSON and not rest:
        return read_folder(first.parent, contrast)
    return read_datalist(first, rest[0] if rest else first.parent, contrast)


def _discover_with_labels(paths: Sequence[Path], labels: Path, contrast: str | None) -> Discovery:
    if labels.is_dir() and len(paths) == 1 and paths[0].is_dir() and is_bids(paths[0]):
        found = read_bids(paths[0], contrast, labels)
        if found is not None:
            return found
    inside = labels.resolve()
    images = [entry for entry in _entries(paths) if not entry.path.resolve().is_relative_to(inside)]
    scans = [entry for entry in images if entry.role != "label"] or images
    if not labels.is_dir():
        require_no_contrast(contrast)
        if len(scans) != 1:
            raise DataError(
                f"{labels} is one label file, but there are {len(scans)} scans; pass the folder of labels"
            )
        only = scans[0]
        return Discovery("one scan and its label file", (FoundCase(only.path, labels, only.patient, only.name),))
    label_entries = list_entries(labels)
    if not label_entries:
        raise InputError(f"{labels} holds no label file; expected NIfTI, NRRD, MetaImage, PNG or TIFF files")
    layout = "scans, and labels with equal names in a folder of their own"
    found = match_two(scans, label_entries, layout, contrast)
    if len(scans) == len(images):
        return found
    note = f"{len(images) - len(scans)} label files beside the scans are left out, since --labels names others"
    return dataclasses.replace(found, notes=(*found.notes, note))


def _discover_each(paths: Sequence[Path], contrast: str | None) -> Discovery:
    found = [_in_part(read_folder(path, contrast), path) for path in paths if path.is_dir()]
    files = [path for path in paths if not path.is_dir()]
    if files:
        found.append(read_names(entries_of_files(files), files[0], contrast))
    return found[0] if len(found) == 1 else _merged(found)


def _in_part(found: Discovery, folder: Path) -> Discovery:
    """Cases of a folder that is itself called train, val or test belong to that part."""
    part = split_of_name(folder.resolve().name)
    if part is None or any(case.given_splits for case in found.cases):
        return found
    cases = tuple(dataclasses.replace(case, given_splits=(part,)) for case in found.cases)
    return dataclasses.replace(found, cases=cases)


def _entries(paths: Sequence[Path]) -> list[Entry]:
    entries = [entry for path in paths if path.is_dir() for entry in list_entries(path)]
    return entries + entries_of_files(path for path in paths if not path.is_dir())


def _merged(found: Sequence[Discovery]) -> Discovery:
    names = [one.class_names for one in found if one.class_names is not None]
    if any(other != names[0] for other in names[1:]):
        raise DataError(
            f"the data sets name their labels differently: {names}; prepare them one by one with --domain and "
            f"--classes"
        )
    cases = [case for one in found for case in one.cases]
    double = next((stem for stem, count in Counter(case.stem for case in cases).items() if count > 1), None)
    if double is not None:
        raise DataError(f"two scans are called {double}; give them different names, since a case goes by its name")
    values = [one.label_values for one in found]
    return Discovery(
        layout="; ".join(dict.fromkeys(one.layout for one in found)),
        cases=tuple(cases),
        orphans=tuple(path for one in found for path in one.orphans),
        class_names=names[0] if len(names) == len(found) else None,
        names_from=found[0].names_from,
        notes=tuple(dict.fromkeys(note for one in found for note in one.notes)),
        label_values=frozenset().union(*(one for one in values if one is not None)) if all(values) else None,
        test_cases=tuple(case for one in found for case in one.test_cases),
        missing=tuple(name for one in found for name in one.missing),
        unlisted=tuple(path for one in found for path in one.unlisted),
    )
