"""The numbers of one case: every class of a prediction against the reference."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, UsageError
from ..geometry import Grid
from ..imaging import LabelVolume
from .flat import outlines_if_flat
from .metric import MetricName
from .overlap import Overlap, count_overlaps
from .status import Status, status_of
from .surface import SurfaceDistances, compute_class_distances
from .volume import VolumeError

GRID_TOLERANCE_VOXELS = 0.01


@dataclass(frozen=True)
class ClassScore:
    """One class of one case. Raw values: a distance to nothing is infinite, a value that does not exist is None.

    Args:
        class_name: the user's name of the class.
        status: which of the masks hold anything; `both_empty` leaves dice, iou and all distances None.
        dice: 0 to 1.
        hd100_mm: Hausdorff distance; inf when one mask is empty, as all distances.
        hd95_mm: larger directed 95th percentile.
        assd_mm: pooled average symmetric surface distance.
        volume_difference_ml: prediction minus reference.
        reference_ml: volume of the reference.
        prediction_ml: volume of the prediction.
        n_reference: voxels of the reference.
        n_prediction: voxels of the prediction.
        iou: 0 to 1.
        masd_mm: mean of the two directed mean surface distances.
        diagonal_mm: diagonal of the image, the distance that a miss counts in a mean.
    """

    class_name: str
    status: Status
    dice: float | None
    hd100_mm: float | None
    hd95_mm: float | None
    assd_mm: float | None
    volume_difference_ml: float
    reference_ml: float
    prediction_ml: float
    n_reference: int
    n_prediction: int
    iou: float | None
    masd_mm: float | None
    diagonal_mm: float

    def value(self, metric: MetricName) -> float | None:
        """The raw value of a metric, in the metric's unit."""
        volumes = VolumeError(self.prediction_ml, self.reference_ml)
        values: dict[MetricName, float | None] = {
            "dice": self.dice,
            "iou": self.iou,
            "hd95": self.hd95_mm,
            "hd100": self.hd100_mm,
            "assd": self.assd_mm,
            "masd": self.masd_mm,
            "volume_difference": self.volume_difference_ml,
            "volume_error": volumes.absolute_ml,
            "relative_volume_difference": volumes.relative,
        }
        return values[metric]


def score_case(
    prediction: LabelVolume, reference: LabelVolume, classes: Mapping[str, int]
) -> tuple[ClassScore, ...]:
    """The scores of every class, in the order of `classes`, in 3D on the grid of the reference.

    Of a single slice the distances are those of the outlines in it.

    Args:
        prediction: labels of the model, on the reference's grid.
        reference: labels of the expert; its affine decides what a millimetre is.
        classes: value of each class in *both* arrays, by name. Values that are not listed count as background.

    Raises:
        DataError: the grids are more than 0.01 voxel apart.
        UsageError: no class is given, or the background (0) is one of them.
    """
    _require_classes(classes)
    _require_same_grid(prediction.grid, reference.grid)
    overlaps = count_overlaps(prediction.array, reference.array, classes.values())
    statuses = {value: status_of(one.n_prediction, one.n_reference) for value, one in overlaps.items()}
    distances = compute_class_distances(
        outlines_if_flat(prediction.array),
        outlines_if_flat(reference.array),
        [value for value, status in statuses.items() if status is Status.OK],
        reference.grid.spacing_mm,
    )
    return tuple(
        _class_score(name, statuses[value], overlaps[value], distances.get(value), reference.grid)
        for name, value in classes.items()
    )


def score_missing(reference: LabelVolume, classes: Mapping[str, int]) -> tuple[ClassScore, ...]:
    """The scores of a case whose prediction does not exist: every class is missed.

    A class that the reference does not hold either is missed too: otherwise a model that fails on a case
    would fare better than one that answers.

    Args:
        reference: labels of the expert.
        classes: value of each class in the reference, by name.

    Raises:
        UsageError: no class is given, or the background (0) is one of them.
    """
    _require_classes(classes)
    scores = []
    for name, value in classes.items():
        overlap = Overlap(0, int(np.count_nonzero(reference.array == value)), 0)
        scores.append(_class_score(name, Status.MISSED, overlap, None, reference.grid))
    return tuple(scores)


def _class_score(
    name: str, status: Status, overlap: Overlap, distances: SurfaceDistances | None, grid: Grid
) -> ClassScore:
    # Nothing is infinitely far from something; between nothing and nothing there is no distance.
    absent = float("inf") if status.one_sided else None
    volumes = VolumeError(overlap.n_prediction * grid.voxel_ml, overlap.n_reference * grid.voxel_ml)
    return ClassScore(
        class_name=name,
        status=status,
        dice=0.0 if status.one_sided else overlap.dice,
        hd100_mm=distances.hd100_mm if distances else absent,
        hd95_mm=distances.hd95_mm if distances else absent,
        assd_mm=distances.assd_mm if distances else absent,
        volume_difference_ml=volumes.difference_ml,
        reference_ml=volumes.reference_ml,
        prediction_ml=volumes.prediction_ml,
        n_reference=overlap.n_reference,
        n_prediction=overlap.n_prediction,
        iou=0.0 if status.one_sided else overlap.iou,
        masd_mm=distances.masd_mm if distances else absent,
        diagonal_mm=grid.diagonal_mm,
    )


def _require_classes(classes: Mapping[str, int]) -> None:
    if not classes:
        raise UsageError("no class to score; name at least one, as in {'liver': 1}")
    for name, value in classes.items():
        if value < 1:
            raise UsageError(f"class {name!r} has the value {value}; 0 is background and is never scored")


def _require_same_grid(prediction: Grid, reference: Grid) -> None:
    if prediction.shape != reference.shape:
        raise DataError(
            f"the prediction has shape {prediction.shape}, the reference {reference.shape}, "
            f"and their corners are up to {reference.corner_distance_mm(prediction):.3g} mm apart; "
            "bring the prediction onto the reference's grid"
        )
    distance_voxels = reference.corner_distance_voxels(prediction)
    if distance_voxels > GRID_TOLERANCE_VOXELS:
        raise DataError(
            f"the grids of prediction and reference are {reference.corner_distance_mm(prediction):.3g} mm "
            f"({distance_voxels:.3g} voxels) apart at a corner, {GRID_TOLERANCE_VOXELS} voxels are allowed; "
            "bring the prediction onto the reference's grid"
        )
