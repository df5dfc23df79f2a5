"""The dataset.json of the Medical Segmentation Decathlon and of nnU-Net: names of labels, list of cases."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import DataError, InputError


@dataclass(frozen=True)
class DatasetJson:
    """What a dataset.json says.

    Args:
        kind: "nnU-Net v2" has channel names, "MSD" (and nnU-Net v1) has modalities.
        class_names: value in the label files -> name, without background.
        training: pairs of paths below the folder, as they are listed; None when there is no list.
        channels: names of the image channels by number.
        notes: what could not be used.
    """

    kind: Literal["nnU-Net v2", "MSD"]
    class_names: dict[int, str]
    training: tuple[tuple[str, str | None], ...] | None
    channels: dict[int, str]
    notes: tuple[str, ...]


def read_dataset_json(path: Path) -> DatasetJson:
    """The content of a dataset.json.

    Raises:
        InputError: the file cannot be read.
        DataError: it is not JSON or its labels are in no known form.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise DataError(f"{path} must hold a JSON object, found a {type(document).__name__}")
    is_v2 = "channel_names" in document
    names, notes = _read_labels(document.get("labels", {}), path)
    channels = document.get("channel_names" if is_v2 else "modality", {})
    return DatasetJson(
        kind="nnU-Net v2" if is_v2 else "MSD",
        class_names=names,
        training=None if is_v2 else _read_training(document.get("training"), path),
        channels={int(k): str(v) for k, v in channels.items() if str(k).isdigit()}
        if isinstance(channels, dict)
        else {},
        notes=notes,
    )


def _read_labels(labels: Any, path: Path) -> tuple[dict[int, str], tuple[str, ...]]:
    """MSD writes {"1": "liver"}, nnU-Net v2 {"liver": 1}, or a list of values for a region."""
    if not isinstance(labels, dict):
        raise DataError(f'{path}: "labels" must be an object of names and values, found {labels!r}')
    names: dict[int, str] = {}
    regions = 0
    for key, value in labels.items():
        if isinstance(value, str) and str(key).isdigit():
            number, name = int(key), value
        elif isinstance(value, int) and not isinstance(value, bool):
            number, name = value, str(key)
        elif isinstance(value, list):
            regions += 1
            continue
        else:
            raise DataError(f'{path}: "labels" has {key!r}: {value!r}, expected a name and a whole number')
        if number > 0 and name.lower() not in {"background", "ignore"}:
            names[number] = "_".join(name.replace("=", " ").replace(",", " ").split()) or f"label_{number}"
    if len(set(names.values())) < len(names):
        raise DataError(f'{path}: two values in "labels" have the same name: {names}')
    if regions:
        # Regions overlap, and a voxel has one class here; their parts are found as values of their own.
        return {}, (f"dataset.json names {regions} regions of several values each; its names are not used",)
    return dict(sorted(names.items())), ()


def _read_training(training: Any, path: Path) -> tuple[tuple[str, str | None], ...] | None:
    if training is None:
        return None
    if not isinstance(training, list):
        raise DataError(f'{path}: "training" must be a list of cases, found {training!r}')
    pairs: list[tuple[str, str | None]] = []
    for case in training:
        if not isinstance(case, dict) or not isinstance(case.get("image"), str):
            raise DataError(f'{path}: each case in "training" needs an "image", found {case!r}')
        label = case.get("label")
        pairs.append((case["image"], label if isinstance(label, str) else None))
    return tuple(pairs)
