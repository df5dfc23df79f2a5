"""One scan and its labels, from their files to slices."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ...errors import DataError
from ...imaging import Modality, Volume, belonging_notes, detect_modality, read_volume
from ...shapes import Array, LabelArray
from ...slices import CaseRecord, IdKey, Plane, cut_label, prepare_scan
from ..case_label import read_case_label
from ..datasets.discovery import FoundCase
from ..label_map import MERGED_NOTE, LabelMap, count_values
from ..privacy.redaction import Redaction


@dataclass(frozen=True)
class CaseSettings:
    """What all cases of a domain are prepared with.

    Args:
        domain: name of the domain.
        modality: of the domain.
        is_modality_given: whether the user named it, so that scans are not asked.
        plane: of the slices.
        size: rows and columns of a slice.
        label_map: from values in the label files to classes.
        key: of the ids.
        redaction: what is taken out of notes.
        series: which one is read of a DICOM folder; None = the only one.
        fix_gaps: whether gaps between DICOM slices are filled by interpolation.
        resample_labels: whether labels on another grid than their scan are resampled instead of refused.
    """

    domain: str
    modality: Modality
    is_modality_given: bool
    plane: Plane
    size: int
    label_map: LabelMap
    key: IdKey
    redaction: Redaction
    series: str | None = None
    fix_gaps: bool = False
    resample_labels: bool = False

    def to_json(self) -> dict[str, Any]:
        """The settings as plain values, the secret key among them: not to be written to any file."""
        named = [str(path) for path in self.redaction.named]
        secret = {"key": self.key.secret.hex(), "redaction": [named, self.redaction.is_off]}
        return {**dataclasses.asdict(self), **secret}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The settings that `to_json` wrote."""
        label_map, key = LabelMap(**document["label_map"]), IdKey(bytes.fromhex(document["key"]))
        named, is_off = document["redaction"]
        redaction = Redaction(tuple(map(Path, named)), is_off)
        return cls(**{**document, "label_map": label_map, "key": key, "redaction": redaction})


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """What goes into the store: (S, H, W) int16 images, (S, H, W) uint8 classes or None, and their record."""

    record: CaseRecord
    images: Array
    labels: LabelArray | None


def prepare_case(case: FoundCase, settings: CaseSettings) -> PreparedCase:
    """The slices of one case.

    Raises:
        InputError: a file cannot be read.
        DataError: the scan is of another modality than its domain, or its labels do not lie on it.
    """
    series = case.series(settings.series)
    volume = read_volume(case.image, series=series, fix_gaps=settings.fix_gaps, channel=case.channel)
    notes = [*volume.notes, *_check_modality(volume, settings)]
    indices: LabelArray | None = None
    if case.label is not None:
        indices, label_notes = _read_indices(case, volume, settings)
        notes += label_notes
    scan = prepare_scan(volume, settings.modality, settings.plane, settings.size)
    notes += scan.notes
    n_classes = len(settings.label_map.class_names)
    voxels = None if indices is None else tuple(int(n) for n in np.bincount(indices.ravel(), minlength=n_classes))
    record = CaseRecord(
        case_id=settings.key.case_id(case.stem, settings.domain),
        patient_id=settings.key.patient_id(case.patient),
        n_slices=scan.images.shape[0],
        has_label=indices is not None,
        frame=scan.frame,
        scale=scan.scale,
        modality=settings.modality,
        class_voxels=voxels,
        notes=settings.redaction.of_notes(notes, case.image, case.label),
    )
    labels = None if indices is None else cut_label(indices, scan.frame, n_classes)
    return PreparedCase(record, scan.images, labels)


def _check_modality(volume: Volume, settings: CaseSettings) -> list[str]:
    if settings.is_modality_given:
        if volume.modality not in {"unknown", settings.modality}:
            return [f"the file says {volume.modality}, but it is read as {settings.modality}, as --modality asks"]
        return []
    modality, reason = detect_modality(volume)
    if modality != settings.modality:
        raise DataError(
            f"this scan is {modality} ({reason}), but domain {settings.domain} is {settings.modality}; "
            f"prepare it as a domain of its own, or pass --modality {settings.modality} if that is wrong"
        )
    return []


def _read_indices(case: FoundCase, volume: Volume, settings: CaseSettings) -> tuple[LabelArray, list[str]]:
    assert case.label is not None
    label_map = settings.label_map
    label, label_notes = read_case_label(
        case.label, volume.grid, label_map.values, resample=settings.resample_labels
    )
    notes = [*label_notes, *belonging_notes(case.label, label.array, volume)]
    merged = label_map.merged(count_values(label.array))
    if merged:
        listed = ", ".join(f"{value} ({n} voxels)" for value, n in merged.items())
        notes.append(f"{MERGED_NOTE}: {listed}")
    indices = label_map.apply(label.array)
    if not indices.any():
        notes.append("the labels hold none of the classes")
    return indices, notes
