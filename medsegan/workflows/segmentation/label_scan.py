"""One scan through a trained model: slices, prediction, and back onto the scan's own grid."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ...data import unit_range
from ...errors import UsageError
from ...imaging import LabelVolume, Modality, Volume, detect_modality, read_volume
from ...models import ObjectiveName, Prediction
from ...progress import SILENT, Progress
from ...shapes import FloatArray, LabelArray
from ...slices import PreparedScan, assemble_labels, assemble_scalar, prepare_scan, remove_small_parts
from ..model_file import ModelFacts, TrainedModel


@dataclass(frozen=True)
class Reading:
    """How a scan is to be read.

    Args:
        modality: None = found out.
        series: of a DICOM folder; None = the only one.
        window: stored intensities of -1 and 1 for a modality that the model never saw; None = the usual ones.
        fix_gaps: whether gaps between DICOM slices are filled by interpolation.
        channel: which volume of a NIfTI file with several, counted from 0; None = it holds one.
    """

    modality: Modality | None = None
    series: str | None = None
    window: tuple[float, float] | None = None
    fix_gaps: bool = False
    channel: int | None = None


@dataclass(frozen=True)
class Labelling:
    """How a scan is to be labelled.

    Args:
        steps: of optimisation; 0 = the encoder alone.
        objective: of the optimisation.
        keep_largest: whether classes that the training labels show in one piece keep only their largest part.
    """

    steps: int
    objective: ObjectiveName = "auto"
    keep_largest: bool = True


@dataclass(frozen=True, eq=False)
class LabeledScan:
    """A scan with its labels, and what led to them.

    Args:
        volume: as read.
        indices: (I, J, K) class indices on the scan's grid.
        removed_voxels: by class index, what the clean-up took away.
        prepared: its slices.
        images: (S, H, W) float32 in [-1, 1], what the model saw.
        prediction: on the slices.
        notes: what was chosen or repaired.
    """

    volume: Volume
    indices: LabelArray
    removed_voxels: dict[int, int]
    prepared: PreparedScan
    images: FloatArray
    prediction: Prediction
    notes: tuple[str, ...]

    def label(self, facts: ModelFacts) -> LabelVolume:
        """The labels with the values of a label file in place of class indices, and their names."""
        lookup = np.array(facts.class_values, dtype=np.uint16 if max(facts.class_values) > 255 else np.uint8)
        names = {value: name for name, value in facts.labels.items()}
        return LabelVolume(lookup[self.indices], self.volume.grid, names=names)

    def volumes_ml(self, class_names: tuple[str, ...]) -> dict[str, float]:
        """Millilitres of each class but background."""
        counts = np.bincount(self.indices.ravel(), minlength=len(class_names))
        return {
            name: round(float(count) * self.volume.grid.voxel_ml, 3)
            for name, count in zip(class_names[1:], counts[1:], strict=True)
        }

    @property
    def residual_slices(self) -> FloatArray | None:
        """(S, H, W) absolute reconstruction error, 1 for the whole window; None without a reconstruction."""
        if self.prediction.reconstruction is None:
            return None
        made = self.prediction.reconstruction[:, 0].numpy()
        return np.asarray(np.abs(made - self.images) / 2, dtype=np.float32)

    def residual_volume(self) -> Volume:
        """The reconstruction error on the scan's grid, 0 outside of the field of view.

        Raises:
            UsageError: the method reconstructs nothing.
        """
        slices = self.residual_slices
        if slices is None:
            raise UsageError("this model reconstructs nothing, so there is no residual; leave --residual out")
        return Volume(assemble_scalar(slices, self.prepared.frame, fill=0.0), self.volume.grid)


def label_scan(
    model: TrainedModel,
    device: torch.device,
    path: Path,
    reading: Reading,
    labelling: Labelling,
    progress: Progress = SILENT,
) -> LabeledScan:
    """The labels of the scan in a file or folder.

    Args:
        model: trained.
        device: of the model.
        path: of the scan.
        reading: how to read the scan.
        labelling: how to label it.
        progress: hears of slices; silent within a stage of its caller.

    Raises:
        InputError, DataError: the scan cannot be read.
    """
    volume = read_volume(path, series=reading.series, fix_gaps=reading.fix_gaps, channel=reading.channel)
    modality, reason = (reading.modality, "as asked") if reading.modality else detect_modality(volume)
    prepared = prepare_scan(volume, modality, model.facts.plane, model.facts.size)
    stored = torch.from_numpy(np.ascontiguousarray(prepared.images))[:, None]
    seen = model.facts.has_seen(modality)
    window = model.facts.window(modality) if seen or reading.window is None else reading.window
    images = unit_range(stored.to(device), window)
    progress.start("segment", len(images), "slices")
    prediction = model.predictor.predict(
        images,
        steps=labelling.steps,
        seen_modality=seen,
        on_progress=progress.update,
        objective=labelling.objective,
    )
    progress.finish()
    indices = assemble_labels(prediction.probabilities.numpy(), prepared.frame)
    removed: dict[int, int] = {}
    if labelling.keep_largest:
        indices, removed = remove_small_parts(indices, model.facts.in_one_piece)
    place = "a modality of the training" if seen else "a modality that the model never saw"
    notes = (*volume.notes, *prepared.notes, f"read as {modality} ({reason}): {place}")
    notes += _removal_notes(removed, indices, model.facts.class_names, volume.grid.voxel_ml)
    return LabeledScan(volume, indices, removed, prepared, images[:, 0].cpu().numpy(), prediction, notes)


def _removal_notes(
    removed: dict[int, int], indices: LabelArray, class_names: tuple[str, ...], voxel_ml: float
) -> tuple[str, ...]:
    """One note that says what the clean-up took away, if it did."""
    parts = []
    for index, n_voxels in removed.items():
        share = n_voxels / (n_voxels + np.count_nonzero(indices == index))
        parts.append(f"{n_voxels * voxel_ml:.3g} ml of {class_names[index]} ({share:.1%})")
    return (f"removed beside the largest part: {', '.join(parts)}; --keep-all keeps it",) if parts else ()
