"""What is kept of a case after its voxels are gone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np

from ...geometry import Grid
from ...imaging import Modality
from ...shapes import FloatArray
from ..datasets.discovery import FoundCase


@dataclass(frozen=True)
class IntensityFacts:
    """A few figures of the intensities of a scan.

    Args:
        low: the lowest.
        high: the highest.
        percentiles: the values at 0.5 and 99.5 per cent.
        at_low: share of the voxels at the lowest value.
        below_air: share of the voxels below -1100, where no tissue is.
        n_below_air: number of different values there.
        n_values: number of different values; None where the values are no integers or span too much to count.
    """

    low: float
    high: float
    percentiles: tuple[float, float]
    at_low: float
    below_air: float
    n_below_air: int
    n_values: int | None

    @property
    def span(self) -> str:
        """Lowest and highest value in words."""
        return f"values from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, eq=False)
class ScanFacts:
    """What a scan is.

    Args:
        grid: where it lies.
        is_picture: whether it is a picture without a place.
        modality: what its header or its values say.
        reason: why.
        notes: of its reader.
        intensities: figures of them.
        digests: hashes of its voxels.
        picture: (16, 16) of a single slice; None for a volume.
        frame_uid: the frame of reference of its positions; "" = not said.
        made_up: indices of the slices that were interpolated.
    """

    grid: Grid
    is_picture: bool
    modality: Modality
    reason: str
    notes: tuple[str, ...]
    intensities: IntensityFacts
    digests: frozenset[str]
    picture: FloatArray | None
    frame_uid: str = ""
    made_up: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The facts as plain values."""
        return {
            **{name: getattr(self, name) for name in ("is_picture", "modality", "reason", "frame_uid")},
            "grid": self.grid.to_json(),
            "notes": list(self.notes),
            "intensities": asdict(self.intensities),
            "digests": sorted(self.digests),
            "picture": None if self.picture is None else self.picture.tolist(),
            "made_up": list(self.made_up),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The facts that `to_json` wrote."""
        intensities, picture = document["intensities"], document["picture"]
        changed = {
            "grid": Grid.from_json(document["grid"]),
            "notes": tuple(document["notes"]),
            "intensities": IntensityFacts(**{**intensities, "percentiles": tuple(intensities["percentiles"])}),
            "digests": frozenset(document["digests"]),
            "picture": None if picture is None else np.array(picture, dtype=np.float32),
            "made_up": tuple(document["made_up"]),
        }
        return cls(**{**document, **changed})


@dataclass(frozen=True)
class LabelFacts:
    """What labels hold.

    Args:
        counts: value -> number of voxels, without background.
        names: value -> name, where the file itself names its classes.
        notes: of its reader, and what was done to lay it on its scan.
        digests: hashes of its voxels.
        is_close: whether it lies beside its scan, by less than half a voxel.
    """

    counts: Mapping[int, int]
    names: Mapping[int, str]
    notes: tuple[str, ...]
    digests: frozenset[str]
    is_close: bool

    def to_json(self) -> dict[str, Any]:
        """The facts as plain values."""
        return {
            "counts": list(self.counts.items()),
            "names": list(self.names.items()),
            "notes": list(self.notes),
            "digests": sorted(self.digests),
            "is_close": self.is_close,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The facts that `to_json` wrote."""
        return cls(
            counts=dict(document["counts"]),
            names=dict(document["names"]),
            notes=tuple(document["notes"]),
            digests=frozenset(document["digests"]),
            is_close=document["is_close"],
        )


@dataclass(frozen=True, eq=False)
class CaseFacts:
    """What is known of a case.

    Args:
        case: as it was found.
        name: how it is called in the table.
        scan: None if it cannot be read.
        label: None without labels, or if they cannot be read.
        scan_error: why the scan cannot be read.
        label_error: why the labels cannot be read.
        place_error: why the labels do not lie on the scan.
        is_test: whether it belongs to a test set that the layout sets apart.
    """

    case: FoundCase
    name: str
    scan: ScanFacts | None = None
    label: LabelFacts | None = None
    scan_error: str | None = None
    label_error: str | None = None
    place_error: str | None = None
    is_test: bool = False

    def to_json(self) -> dict[str, Any]:
        """What was found out as plain values; without the case and what it is called."""
        return {
            "scan": None if self.scan is None else self.scan.to_json(),
            "label": None if self.label is None else self.label.to_json(),
            **{name: getattr(self, name) for name in _ERRORS},
        }

    def with_findings(self, document: Mapping[str, Any]) -> Self:
        """The same case with what `to_json` wrote of it."""
        scan, label = document["scan"], document["label"]
        return replace(
            self,
            scan=None if scan is None else ScanFacts.from_json(scan),
            label=None if label is None else LabelFacts.from_json(label),
            **{name: document[name] for name in _ERRORS},
        )


_ERRORS = ("scan_error", "label_error", "place_error")
