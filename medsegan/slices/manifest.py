"""What is in a slice store, and how each case was cut: enough to undo every step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ..errors import DataError
from ..imaging import MODALITIES, IntensityScale, Modality
from .frame import Frame
from .plane import Plane, require_plane

MANIFEST_VERSION = 2
BACKGROUND = "background"

_CASE_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, eq=False)
class CaseRecord:
    """One case of a store.

    Args:
        case_id: hashed id; the arrays are files of this name.
        patient_id: hashed id of the patient; splits go by it.
        n_slices: number of slices.
        has_label: whether the store holds labels of the case.
        frame: how the slices lie in the scan.
        scale: how intensities became stored units.
        modality: how the intensities were read.
        class_voxels: voxels of each class in the scan's own label volume, background first; `None` without label.
        notes: what was repaired, chosen or noticed. No patient data.

    Raises:
        DataError: the id cannot be a file name, or the slices do not fit the frame.
    """

    case_id: str
    patient_id: str
    n_slices: int
    has_label: bool
    frame: Frame
    scale: IntensityScale
    modality: Modality
    class_voxels: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _CASE_ID.fullmatch(self.case_id):
            raise DataError(f"a case id may hold letters, digits, - and _ only, got {self.case_id!r}")
        if self.n_slices != self.frame.stack_shape[0]:
            raise DataError(
                f"case {self.case_id}: {self.n_slices} slices, but its frame cuts {self.frame.stack_shape[0]}"
            )

    def to_json(self) -> dict[str, Any]:
        """The record as plain values."""
        return {
            "case_id": self.case_id,
            "patient_id": self.patient_id,
            "n_slices": self.n_slices,
            "has_label": self.has_label,
            "frame": self.frame.to_json(),
            "scale": self.scale.to_json(),
            "modality": self.modality,
            "class_voxels": None if self.class_voxels is None else list(self.class_voxels),
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The record that `to_json` wrote."""
        voxels = document["class_voxels"]
        return cls(
            case_id=str(document["case_id"]),
            patient_id=str(document["patient_id"]),
            n_slices=int(document["n_slices"]),
            has_label=bool(document["has_label"]),
            frame=Frame.from_json(document["frame"]),
            scale=IntensityScale.from_json(document["scale"]),
            modality=_require_modality(document["modality"]),
            class_voxels=None if voxels is None else tuple(int(count) for count in voxels),
            notes=tuple(str(note) for note in document["notes"]),
        )


@dataclass(frozen=True, eq=False)
class Manifest:
    """What a slice store holds.

    Args:
        domain: name of the domain.
        modality: how the intensities of the domain are read.
        plane: plane of all slices.
        size: rows and columns of all slices.
        window: lowest and highest intensity shown to a network, in stored units.
        class_names: name of each class index; the first is "background".
        class_values: value of each class in the label files of this domain; the first is 0.
        cases: the cases, in the order of `draw_order`.
        id_key: fingerprint of the key that the ids were made with; ids of two keys cannot be compared.

    Raises:
        DataError: names and values do not fit each other, repeat themselves, or two cases share an id.
    """

    domain: str
    modality: Modality
    plane: Plane
    size: int
    window: tuple[float, float]
    class_names: tuple[str, ...]
    class_values: tuple[int, ...]
    cases: tuple[CaseRecord, ...] = ()
    id_key: str = ""

    def __post_init__(self) -> None:
        names, values = self.class_names, self.class_values
        if len(names) != len(values) or len(set(names)) != len(names) or len(set(values)) != len(values):
            raise DataError(f"each class needs one name and one value of its own, got {names} and {values}")
        if not names or names[0] != BACKGROUND or values[0] != 0:
            raise DataError(
                f"the first class must be {BACKGROUND!r} with value 0, got {names[:1]} and {values[:1]}"
            )
        if not self.window[0] < self.window[1]:
            raise DataError(f"the window must run from a lower to a higher intensity, got {self.window}")
        if len({case.case_id for case in self.cases}) != len(self.cases):
            raise DataError("two cases of the store have the same id; give one of the scans another name")

    @property
    def n_classes(self) -> int:
        """Number of classes, background among them."""
        return len(self.class_names)

    def case(self, case_id: str) -> CaseRecord:
        """The record of a case.

        Raises:
            DataError: there is no such case.
        """
        for record in self.cases:
            if record.case_id == case_id:
                return record
        raise DataError(f"domain {self.domain} has no case {case_id}; it has {len(self.cases)} others")

    def to_json(self) -> dict[str, Any]:
        """The manifest as plain values, with its version."""
        return {
            "version": MANIFEST_VERSION,
            "domain": self.domain,
            "modality": self.modality,
            "plane": self.plane,
            "size": self.size,
            "window": list(self.window),
            "class_names": list(self.class_names),
            "class_values": list(self.class_values),
            "id_key": self.id_key,
            "cases": [record.to_json() for record in self.cases],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The manifest that `to_json` wrote.

        Raises:
            DataError: the version is not known, or an entry is missing or malformed.
        """
        version = document.get("version")
        if version != MANIFEST_VERSION:
            raise DataError(
                f"the manifest has version {version!r}, this medsegan reads version {MANIFEST_VERSION}; "
                f"prepare the domain again with --overwrite"
            )
        try:
            low, high = document["window"]
            return cls(
                domain=str(document["domain"]),
                modality=_require_modality(document["modality"]),
                plane=require_plane(document["plane"]),
                size=int(document["size"]),
                window=(float(low), float(high)),
                class_names=tuple(str(name) for name in document["class_names"]),
                class_values=tuple(int(value) for value in document["class_values"]),
                cases=tuple(CaseRecord.from_json(record) for record in document["cases"]),
                id_key=str(document["id_key"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the manifest is damaged ({type(error).__name__}: {error}); prepare again") from error


def _require_modality(name: str) -> Modality:
    for modality in MODALITIES:
        if modality == name:
            return modality
    raise DataError(f"there is no modality {name!r}; a manifest knows {', '.join(MODALITIES)}")
