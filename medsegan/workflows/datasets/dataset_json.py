"""The dataset.json of the Medical Segmentation Decathlon and of nnU-Net: names of labels, list of cases."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DataError, InputError

DATASET_JSON = "dataset.json"
IGNORE = "ignore"
"""The label of nnU-Net for what nobody annotated."""


@dataclass(frozen=True)
class ListedCase:
    """One case of a list, with its paths as they are written there.

    Args:
        name: of the case, where the list has names; else None.
        images: one path for each channel that is listed.
        label: None for a case without labels.
    """

    name: str | None
    images: tuple[str, ...]
    label: str | None


@dataclass(frozen=True)
class DatasetJson:
    """What a dataset.json says.

    Args:
        path: where it is.
        is_v2: whether it is in the style of nnU-Net v2, which names channels; the Decathlon and nnU-Net v1 name
            modalities.
        class_names: value in the label files -> name, without background and without what is not annotated.
        label_values: all values that labels may have, with 0; empty where it names none.
        training: the cases, as they are listed; None when there is no list.
        test: images of the test set, as they are listed.
        channels: names of the image channels by number.
        has_header: whether it names labels or modalities; one without is only a list of cases.
        file_ending: of images and labels, with its dot; None where it is not said.
        notes: what could not be used.
    """

    path: Path
    is_v2: bool
    class_names: dict[int, str]
    label_values: frozenset[int]
    training: tuple[ListedCase, ...] | None
    test: tuple[str, ...]
    channels: dict[int, str]
    has_header: bool
    file_ending: str | None
    notes: tuple[str, ...]


def find_dataset_json(folder: Path) -> DatasetJson | None:
    """The dataset.json of a folder; None where there is none.

    Raises:
        InputError, DataError: as `read_dataset_json`.
    """
    path = folder / DATASET_JSON
    return read_dataset_json(path) if path.is_file() else None


def read_dataset_json(path: Path) -> DatasetJson:
    """The content of a dataset.json.

    Raises:
        InputError: the file cannot be read.
        DataError: it is not JSON or its labels are in no known form.
    """
    document = read_json(path)
    if not isinstance(document, dict):
        raise DataError(f"{path} must hold a JSON object, found a {type(document).__name__}")
    is_v2 = "channel_names" in document
    names, values, notes = read_label_names(document.get("labels", {}), path)
    channels = document.get("channel_names" if is_v2 else "modality", {})
    ending = document.get("file_ending")
    return DatasetJson(
        path=path,
        is_v2=is_v2,
        class_names=names,
        label_values=values,
        training=_read_dataset(document.get("dataset"), path)
        if is_v2
        else _read_training(document.get("training"), path),
        test=() if is_v2 else _read_test(document.get("test")),
        channels={int(k): str(v) for k, v in channels.items() if str(k).isdigit()}
        if isinstance(channels, dict)
        else {},
        has_header=is_v2 or "labels" in document or "modality" in document,
        file_ending=ending if isinstance(ending, str) and ending else None,
        notes=notes,
    )


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        InputError: the file cannot be read.
        DataError: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not valid JSON: {error}") from error


def plain_class_name(name: str, value: int) -> str:
    """A name that can stand in a list of NAME=VALUE items: "Left Kidney" -> "Left_Kidney"."""
    return "_".join(name.replace("=", " ").replace(",", " ").split()) or f"label_{value}"


def read_label_names(labels: Any, path: Path) -> tuple[dict[int, str], frozenset[int], tuple[str, ...]]:
    """Value -> name of the classes, all values that labels may have (empty if none is named), and notes.

    Args:
        labels: {"1": "liver"} as in the Decathlon, {"liver": 1} as in nnU-Net v2, a list of values for a
            region.
        path: of the file, for messages.

    Raises:
        DataError: it is none of these.
    """
    if not isinstance(labels, dict):
        raise DataError(f'{path}: "labels" must be an object of names and values, found {labels!r}')
    names: dict[int, str] = {}
    values: set[int] = set()
    notes: list[str] = []
    regions: dict[str, list[int]] = {}
    for key, value in labels.items():
        if isinstance(value, str) and str(key).isdigit():
            number, name = int(key), value
        elif isinstance(value, int) and not isinstance(value, bool):
            number, name = value, str(key)
        elif isinstance(value, list) and value and all(type(part) is int for part in value):
            regions[str(key)] = value
            continue
        else:
            raise DataError(f'{path}: "labels" has {key!r}: {value!r}, expected a name and a whole number')
        values.add(number)
        if name.lower() == IGNORE and number > 0:
            notes.append(f"the value {number} marks what nobody annotated (ignore) and is taken as background")
        elif number > 0 and name.lower() != "background":
            names[number] = plain_class_name(name, number)
    if len(set(names.values())) < len(names):
        raise DataError(f'{path}: two values in "labels" have the same name: {names}')
    if regions:
        inside = {part for parts in regions.values() for part in parts if part > 0}
        # Regions overlap, and a voxel has one class here: so their parts are the classes.
        names |= {part: _part_name(part, regions) for part in sorted(inside - names.keys())}
        values |= inside | {0}
        listed = ", ".join(f"{name} = {'+'.join(map(str, parts))}" for name, parts in regions.items())
        notes.append(
            f"dataset.json names {len(regions)} regions of several values ({listed}); here each value is a class"
        )
    return dict(sorted(names.items())), frozenset(values | {0} if values else ()), tuple(notes)


def _part_name(value: int, regions: dict[str, list[int]]) -> str:
    """The name of a region that is this value alone, else the number."""
    alone = [name for name, parts in regions.items() if parts == [value]]
    return plain_class_name(alone[0], value) if len(alone) == 1 else f"label_{value}"


def _read_training(training: Any, path: Path) -> tuple[ListedCase, ...] | None:
    if training is None:
        return None
    if not isinstance(training, list):
        raise DataError(f'{path}: "training" must be a list of cases, found {training!r}')
    cases: list[ListedCase] = []
    for case in training:
        if not isinstance(case, dict) or not isinstance(case.get("image"), str):
            raise DataError(f'{path}: each case in "training" needs an "image", found {case!r}')
        label = case.get("label")
        cases.append(ListedCase(None, (case["image"],), label if isinstance(label, str) else None))
    return tuple(cases)


def _read_test(test: Any) -> tuple[str, ...]:
    """The Decathlon lists paths, some of its followers objects as in "training"."""
    if not isinstance(test, list):
        return ()
    images = [case.get("image") if isinstance(case, dict) else case for case in test]
    return tuple(image for image in images if isinstance(image, str))


def _read_dataset(dataset: Any, path: Path) -> tuple[ListedCase, ...] | None:
    """The optional "dataset" of nnU-Net v2: {case: {"images": [path, ...], "label": path}}."""
    if dataset is None:
        return None
    if not isinstance(dataset, dict):
        raise DataError(f'{path}: "dataset" must be an object of cases, found a {type(dataset).__name__}')
    cases: list[ListedCase] = []
    for name, case in dataset.items():
        images = case.get("images") if isinstance(case, dict) else None
        if not isinstance(images, list) or not images or not all(isinstance(image, str) for image in images):
            raise DataError(f'{path}: case {name!r} in "dataset" needs a list of "images", found {case!r}')
        label = case.get("label")
        cases.append(ListedCase(str(name), tuple(images), label if isinstance(label, str) else None))
    return tuple(cases)
