"""What can be asked of `segment`, and what it answers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import MedseganError, UsageError
from ...imaging import DicomForm, Modality
from ...models import ObjectiveName

Quality = Literal["fast", "balanced", "best"]

STEPS: dict[Quality, int] = {"fast": 0, "balanced": 20, "best": 60}
"""Optimisation steps of each quality; "fast" is the encoder alone."""


def require_objective(objective: ObjectiveName, method: str, n_steps: int) -> None:
    """Nothing, if the objective that was asked for can be followed.

    Raises:
        UsageError: something other than "auto" was asked for where nothing is optimised.
    """
    if objective != "auto" and method == "unet":
        raise UsageError("--objective: a U-Net optimises nothing; use a model of the joint GAN or leave it out")
    if objective != "auto" and n_steps == 0:
        raise UsageError("--objective: no steps of optimisation were asked for; pass --steps or leave it out")


def count_steps(quality: Quality, steps: int | None) -> int:
    """Optimisation steps that a user asked for; a number of steps wins over a quality."""
    return STEPS[quality] if steps is None else steps


@dataclass(frozen=True)
class SegmentOptions:
    """The options of one segmentation.

    Args:
        source: a scan, a DICOM series, or a folder of scans.
        output: the mask to write, or a folder of masks.
        model: name of a run, or path of a run or model folder; None = the newest finished run.
        quality: how much optimisation; see `STEPS`.
        steps: optimisation steps in place of the quality's.
        objective: what the optimisation compares: "appearance" or, blind to contrast, "structure"; "auto" is
            "appearance".
        probabilities: file for the class probabilities, 4D; a folder for a folder of scans.
        residual: file for the reconstruction error; a folder for a folder of scans.
        preview: PNG with contours on slices; a folder for a folder of scans.
        modality: of the scans; None = found out.
        series: UID or number of the series, where a DICOM folder holds several.
        fix_gaps: whether missing or unevenly spaced DICOM slices are filled by interpolation and not refused.
        channel: which volume of NIfTI files with several is the scan, counted from 0; None = they hold one.
        keep_largest: leave only the largest 3D part of each class that the training labels show in one piece;
            False = every part. Probabilities are written as they are.
        form: of masks in DICOM: a binary segmentation, a label map or a structure set; None = a segmentation
            where the output ends in .dcm, and no DICOM in a folder of masks.
        reproducible_uids: whether the UIDs of masks in DICOM follow from scan, model and settings.
        device: see `choose_device`.
        overwrite: replace masks that are there.
        skip_existing: leave masks that are exactly what would be made: of the same scan by the same model with the
            same settings, and not changed since. Others are made again with `overwrite`, else they fail.
        dry_run: say what would be done.
        show_names: whether messages name scans by their paths, which may tell who the patients are.
    """

    source: Path
    output: Path
    model: str | None = None
    quality: Quality = "balanced"
    steps: int | None = None
    objective: ObjectiveName = "auto"
    probabilities: Path | None = None
    residual: Path | None = None
    preview: Path | None = None
    modality: Modality | None = None
    series: str | None = None
    fix_gaps: bool = False
    channel: int | None = None
    keep_largest: bool = True
    form: DicomForm | None = None
    reproducible_uids: bool = False
    device: str = "auto"
    overwrite: bool = False
    skip_existing: bool = False
    dry_run: bool = False
    show_names: bool = False

    @property
    def n_steps(self) -> int:
        """Optimisation steps."""
        return count_steps(self.quality, self.steps)


@dataclass(frozen=True)
class SegmentedCase:
    """One scan that was labelled.

    Args:
        source, output: the scan, or its id where the user did not name it himself, and its mask.
        seconds: all in all.
        volumes_ml: by class.
        removed_voxels: by class, what was taken away beside the largest part.
        residual: mean absolute reconstruction error inside the field of view, as a fraction of the window; None
            for methods that reconstruct nothing.
        notes: what was chosen or repaired.
    """

    source: Path
    output: Path
    seconds: float
    volumes_ml: dict[str, float]
    removed_voxels: dict[str, int]
    residual: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """A scan, or its id where the user did not name it himself, that could not be labelled, and why."""

    source: Path
    message: str


def describe(error: Exception) -> str:
    """The reason of a failure: the message of an error that a user can mend, else with its kind in front."""
    return str(error) if isinstance(error, MedseganError) else f"{type(error).__name__}: {error}"


@dataclass(frozen=True)
class SegmentResult:
    """What was labelled.

    Args:
        cases: done, or planned in a dry run.
        failures: not done.
        skipped: masks that were there already and are what would be made.
        model: folder of the model.
        device: where, and why there.
        dry_run: whether nothing was written.
    """

    cases: tuple[SegmentedCase, ...]
    failures: tuple[Failure, ...]
    skipped: tuple[Path, ...]
    model: Path
    device: str
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return _plain(asdict(self))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
