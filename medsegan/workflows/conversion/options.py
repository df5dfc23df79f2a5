"""What can be asked of `convert`, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...imaging import DicomForm

Kind = Literal["scan", "mask"]


@dataclass(frozen=True)
class ConvertOptions:
    """The options of one conversion.

    Args:
        source: a scan or labels in any form that can be read.
        output: the file to write; its suffix decides the format.
        series: UID or number of the series, where a DICOM folder holds several: of the source if that is a scan,
            else of `reference`.
        form: of labels in DICOM; None = a segmentation where the output ends in .dcm.
        maker: of labels in DICOM: "manual", "semiautomatic", or a program and its version; None = the model that
            the sidecar of the source names, else semiautomatic.
        reference: the scan that labels belong to, whose grid they get; None = they stay where they are.
        kind: what the source is; None = found out, see `kind_by_values`.
        names: name -> value of the classes; None = as the source says. Of labels that name their classes those
            that are listed are kept and get these values; all others get these names.
        fix_gaps: whether missing or unevenly spaced DICOM slices are filled by interpolation and not refused.
        channel: which volume of a NIfTI file with several, counted from 0: of the source if that is a scan, else
            of `reference`; None = it holds one.
        resample_labels: whether labels on another grid than their scan are resampled instead of refused.
        reproducible_uids: whether the UIDs of labels in DICOM follow from their content.
        overwrite: replace a file that is there.
        dry_run: read and check, and write nothing.
        show_names: whether messages name files within the source by their paths, and say what is in headers.
    """

    source: Path
    output: Path
    series: str | None = None
    form: DicomForm | None = None
    maker: str | None = None
    reference: Path | None = None
    kind: Kind | None = None
    names: Mapping[str, int] | None = None
    fix_gaps: bool = False
    channel: int | None = None
    resample_labels: bool = False
    reproducible_uids: bool = False
    overwrite: bool = False
    dry_run: bool = False
    show_names: bool = False


@dataclass(frozen=True)
class ConvertResult:
    """What was written.

    Args:
        output: the file.
        kind: what it holds.
        shape: voxels along each axis.
        spacing_mm: distance between them.
        labels: name -> value, where classes have names.
        notes: what was chosen or repaired.
        dry_run: whether nothing was written.
    """

    output: Path
    kind: Kind
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    labels: Mapping[str, int]
    notes: tuple[str, ...]
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {
            "schema_version": 1,
            "output": str(self.output),
            "kind": self.kind,
            "shape": list(self.shape),
            "spacing_mm": list(self.spacing_mm),
            "labels": dict(self.labels),
            "notes": list(self.notes),
            "dry_run": self.dry_run,
        }
