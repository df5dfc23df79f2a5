"""What can be asked of `train`, and what it answers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class TrainOptions:
    """The options of one training.

    Args:
        domain: the domain to learn; None = the only one with labels.
        labeled: labelled patients to use; None = all of the training split. The others count as unlabelled.
        method: "gan" is the joint model with its encoder, "unet" the supervised yardstick; None = "gan", or that
            of a run that is resumed.
        preset: a row of `training.config.PRESETS`; "auto" goes by device and size.
        name: of the run; None = made of method, domain and number of labelled patients.
        images: images of the first stage, or of the U-Net; None = the preset's.
        encoder_images: images of the encoder stage; None = the preset's.
        time_budget_s: seconds for all stages together, in place of numbers of images.
        seed: of every random draw; None = 0, or that of a run that is resumed.
        device: see `choose_device`.
        resume: go on with the run where it stopped; starts it if it is new.
        overwrite: throw an existing run away.
        dry_run: choose everything, train nothing.
        settings: "section.field=value" for all else.
    """

    domain: str | None = None
    labeled: int | None = None
    method: Literal["gan", "unet"] | None = None
    preset: str = "auto"
    name: str | None = None
    images: int | None = None
    encoder_images: int | None = None
    time_budget_s: float | None = None
    seed: int | None = None
    device: str = "auto"
    resume: bool = False
    overwrite: bool = False
    dry_run: bool = False
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainResult:
    """What was trained, or would be.

    Args:
        run: name of the run.
        path: its folder.
        method: "gan" or "unet".
        domain: that was learned.
        device: where, and why there.
        preset: that was taken.
        labeled_cases: hashed ids of the labelled cases.
        n_training_cases: all cases whose images were used.
        n_slices: slices of these cases.
        n_labeled_slices: slices with labels among them.
        parameters: trained weights by part.
        images: images seen, by stage.
        seconds: time, by stage.
        memory_bytes: of the slices on the device.
        dry_run: whether nothing was trained.
    """

    run: str
    path: Path
    method: str
    domain: str
    device: str
    preset: str
    labeled_cases: tuple[str, ...]
    n_training_cases: int
    n_slices: int
    n_labeled_slices: int
    parameters: dict[str, int]
    images: dict[str, int]
    seconds: dict[str, float]
    memory_bytes: int
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {**asdict(self), "path": str(self.path), "labeled_cases": list(self.labeled_cases)}
