"""The metrics of a report: name, unit, definition, and what a miss counts."""

from dataclasses import dataclass
from typing import Literal

MetricName = Literal[
    "dice",
    "iou",
    "hd95",
    "hd100",
    "assd",
    "masd",
    "volume_difference",
    "volume_error",
    "relative_volume_difference",
]
Penalty = Literal["zero", "diagonal", "itself"]
Worst = Literal["lowest", "highest", "farthest_from_zero"]


@dataclass(frozen=True)
class Metric:
    """One column of numbers.

    Args:
        name: as in the long table.
        unit: "1", "mm" or "ml".
        definition: one line for the reader of a report; P is the prediction, R the reference.
        penalty: what a one-sided case counts: 0, the diagonal of its image, or its own (finite) value.
        worst: where the bad cases are.
    """

    name: MetricName
    unit: str
    definition: str
    penalty: Penalty
    worst: Worst


METRICS: tuple[Metric, ...] = (
    Metric("dice", "1", "2 n(P and R) / (n(P) + n(R)), voxels, 3D", "zero", "lowest"),
    Metric("iou", "1", "n(P and R) / n(P or R), voxels, 3D", "zero", "lowest"),
    Metric(
        "hd95", "mm", "larger of the two directed 95th percentiles, linear interpolation", "diagonal", "highest"
    ),
    Metric("hd100", "mm", "Hausdorff distance: largest distance of both directions", "diagonal", "highest"),
    Metric("assd", "mm", "mean of the distances of both directions joined", "diagonal", "highest"),
    Metric("masd", "mm", "mean of the two directed mean distances", "diagonal", "highest"),
    Metric("volume_difference", "ml", "volume of P minus volume of R", "itself", "farthest_from_zero"),
    Metric("volume_error", "ml", "volume difference without its sign", "itself", "highest"),
    Metric(
        "relative_volume_difference",
        "1",
        "volume difference / volume of R; undefined for an empty R",
        "itself",
        "farthest_from_zero",
    ),
)
"""Every metric of a report, in the order of the long table."""
