"""How much two masks share, counted in voxels."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..errors import DataError
from ..shapes import LabelArray, MaskArray
from ..voxels import confusion, confusion_of_labels


@dataclass(frozen=True)
class Overlap:
    """Voxel counts of a prediction, a reference, and what they share.

    Args:
        n_prediction: voxels of the prediction.
        n_reference: voxels of the reference.
        n_shared: voxels of both.
    """

    n_prediction: int
    n_reference: int
    n_shared: int

    @classmethod
    def of(cls, prediction: MaskArray, reference: MaskArray) -> Self:
        """The counts of two masks.

        Args:
            prediction: bool, any shape.
            reference: bool, the same shape.

        Raises:
            DataError: the masks differ in shape or are not bool.
        """
        require_masks(prediction, reference)
        (_, only_prediction), (only_reference, n_shared) = confusion(prediction, reference, 2).tolist()
        return cls(only_prediction + n_shared, only_reference + n_shared, n_shared)

    @property
    def dice(self) -> float | None:
        """2 n(P and R) / (n(P) + n(R)); None when both masks are empty."""
        total = self.n_prediction + self.n_reference
        return 2.0 * self.n_shared / total if total else None

    @property
    def iou(self) -> float | None:
        """n(P and R) / n(P or R), the Jaccard index; None when both masks are empty."""
        union = self.n_prediction + self.n_reference - self.n_shared
        return self.n_shared / union if union else None


def count_overlaps(prediction: LabelArray, reference: LabelArray, values: Collection[int]) -> dict[int, Overlap]:
    """The counts of several classes by their value, from one pass over both volumes.

    Args:
        prediction: integers, any shape.
        reference: integers, the same shape.
        values: of the classes in both arrays; voxels of any other value belong to no class.

    Raises:
        DataError: the arrays differ in shape or do not hold integers.
    """
    distinct = list(dict.fromkeys(values))
    counts = confusion_of_labels(prediction, reference, distinct)
    n_prediction, n_reference, n_shared = counts.sum(axis=0), counts.sum(axis=1), counts.diagonal()
    return {
        value: Overlap(int(n_prediction[row]), int(n_reference[row]), int(n_shared[row]))
        for row, value in enumerate(distinct, start=1)
    }


def dice(prediction: MaskArray, reference: MaskArray) -> float | None:
    """The Dice coefficient of two masks, 0 to 1; None when both are empty.

    Args:
        prediction: bool, any shape.
        reference: bool, the same shape.

    Raises:
        DataError: the masks differ in shape or are not bool.
    """
    return Overlap.of(prediction, reference).dice


def iou(prediction: MaskArray, reference: MaskArray) -> float | None:
    """The intersection over union of two masks, 0 to 1; None when both are empty.

    Args:
        prediction: bool, any shape.
        reference: bool, the same shape.

    Raises:
        DataError: the masks differ in shape or are not bool.
    """
    return Overlap.of(prediction, reference).iou


def require_masks(prediction: MaskArray, reference: MaskArray) -> None:
    """Nothing, if both arrays are masks of one shape.

    Raises:
        DataError: they are not; casting floats or label values to bool would silently change the numbers.
    """
    if prediction.shape != reference.shape:
        raise DataError(
            f"prediction of shape {prediction.shape} and reference of shape {reference.shape} cannot be compared; "
            "bring them onto one grid first"
        )
    for name, mask in (("prediction", prediction), ("reference", reference)):
        if mask.dtype != np.bool_:
            raise DataError(
                f"the {name} must be a bool mask, got {mask.dtype}; compare it with a label value first"
            )
