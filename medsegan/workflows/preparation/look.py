"""What the files of one case hold, before it is known how they are prepared."""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ...errors import MedseganError
from ...geometry import Grid
from ...imaging import (
    MODALITIES,
    Modality,
    Outline,
    Volume,
    detect_modality,
    needs_scan,
    read_label,
    read_outline,
    read_volume,
)
from ..datasets.discovery import FoundCase
from ..label_map import count_values
from ..processes.crew import Document, describe_failure


@dataclass(frozen=True)
class LabelReading:
    """How the labels of a domain are read.

    Args:
        series: which one is read of a DICOM folder; None = the only one.
        values: name -> value of classes that have a value already; others get one of their own.
        only: names of the classes to read where files name them; None = all.
        known: names that the user or the data set gives to the values; a file of values that calls its classes by
            none of them goes by its values. None = the files' own names count.
        fix_gaps: whether gaps between DICOM slices of the scans are filled by interpolation.
        resample: whether a segmentation on another grid than its scan is resampled instead of refused.
    """

    series: str | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    only: Collection[str] | None = None
    known: Collection[str] | None = None
    resample: bool = False
    fix_gaps: bool = False

    def to_json(self) -> Document:
        """What decides how a single file is read, as plain values."""
        names = {"only": self.only, "known": self.known}
        return {
            "series": self.series,
            **{key: None if value is None else sorted(value) for key, value in names.items()},
            "resample": self.resample,
            "fix_gaps": self.fix_gaps,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The reading of which `to_json` wrote what matters for a file."""
        return cls(**document)


@dataclass(frozen=True)
class CaseLook:
    """What was seen of a case; None = that was not looked at, or cannot be read.

    Args:
        modality: of the scan.
        reason: how that was found, in words.
        scan_grid: of the scan.
        counts: value -> number of voxels in the labels.
        names: value -> name, where the labels name their classes.
        label_grid: of the label volume.
        scan_failure: why the scan cannot be read.
        label_failure: why the labels cannot be read.
    """

    modality: Modality | None = None
    reason: str = ""
    scan_grid: Grid | None = None
    counts: dict[int, int] | None = None
    names: dict[int, str] = field(default_factory=dict)
    label_grid: Grid | None = None
    scan_failure: str | None = None
    label_failure: str | None = None

    @property
    def of_labels(self) -> "CaseLook":
        """The look without what was seen of the scan, which depends on the case's place among all others."""
        return dataclasses.replace(self, modality=None, reason="", scan_grid=None, scan_failure=None)

    def to_json(self) -> Document:
        """The look as plain values."""
        return {
            "modality": self.modality,
            "reason": self.reason,
            "scan_grid": None if self.scan_grid is None else self.scan_grid.to_json(),
            "counts": None if self.counts is None else {str(value): n for value, n in self.counts.items()},
            "names": {str(value): name for value, name in self.names.items()},
            "label_grid": None if self.label_grid is None else self.label_grid.to_json(),
            "scan_failure": self.scan_failure,
            "label_failure": self.label_failure,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The look that `to_json` wrote."""
        scan_grid, label_grid, counts = (document[key] for key in ("scan_grid", "label_grid", "counts"))
        return cls(
            modality=next((one for one in MODALITIES if one == document["modality"]), None),
            reason=document["reason"],
            scan_grid=None if scan_grid is None else Grid.from_json(scan_grid),
            counts=None if counts is None else {int(value): n for value, n in counts.items()},
            names={int(value): name for value, name in document["names"].items()},
            label_grid=None if label_grid is None else Grid.from_json(label_grid),
            scan_failure=document["scan_failure"],
            label_failure=document["label_failure"],
        )


def case_to_json(case: FoundCase) -> Document:
    """A case as plain values."""
    label = None if case.label is None else str(case.label)
    return {
        "image": str(case.image),
        "label": label,
        "patient": case.patient,
        "stem": case.stem,
        "channel": case.channel,
    }


def case_from_json(document: Mapping[str, Any]) -> FoundCase:
    """The case that `case_to_json` wrote."""
    label = None if document["label"] is None else Path(document["label"])
    image, channel = Path(document["image"]), document["channel"]
    return FoundCase(image, label, document["patient"], document["stem"], channel=channel)


def look_at_case(document: Document) -> Document:
    """What the files of a case hold; what cannot be read is no error but a part of the answer.

    Args:
        document: the "case", its "reading", and whether to look at the "scan" and at the "label".
    """
    case, reading = case_from_json(document["case"]), LabelReading.from_json(document["reading"])
    seen: dict[str, Any] = {}
    volume: Volume | Outline | None = None
    label_path = case.label if document["label"] else None
    needs = label_path is not None and needs_scan(label_path)
    if document["scan"] or needs:
        try:
            volume = _outline_or_volume(case, reading)
            seen["modality"], seen["reason"] = detect_modality(volume)
            seen["scan_grid"] = volume.grid
        except Exception as error:  # one bad scan, whatever is wrong with it, must not end a batch
            seen["scan_failure"] = describe_failure(error)
    if needs and volume is None:
        seen["label_failure"] = seen["scan_failure"]
    elif label_path is not None:
        on = volume.grid if volume is not None and needs else None
        try:
            label = read_label(
                label_path, on=on, only=reading.only, known=reading.known, resample=reading.resample
            )
            seen.update(counts=count_values(label.array), names=dict(label.names), label_grid=label.grid)
        except Exception as error:
            seen["label_failure"] = describe_failure(error)
    return CaseLook(**seen).to_json()


def _outline_or_volume(case: FoundCase, reading: LabelReading) -> Outline | Volume:
    """Where a scan lies and what it is: from headers, where those tell."""
    series = case.series(reading.series)
    outline = read_outline(case.image, series=series, fix_gaps=reading.fix_gaps)
    return outline or read_volume(case.image, series=series, fix_gaps=reading.fix_gaps, channel=case.channel)


def look_of(answer: Document | MedseganError, has_label: bool) -> CaseLook:
    """The look that an answer holds; of a process that died only that it did."""
    if isinstance(answer, MedseganError):
        return CaseLook(scan_failure=str(answer), label_failure=str(answer) if has_label else None)
    return CaseLook.from_json(answer)
