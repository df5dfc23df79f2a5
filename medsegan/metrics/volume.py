"""How much tissue two masks hold, in millilitres."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VolumeError:
    """The volumes of a prediction and a reference, and their differences.

    Args:
        prediction_ml: volume of the prediction.
        reference_ml: volume of the reference.
    """

    prediction_ml: float
    reference_ml: float

    @property
    def difference_ml(self) -> float:
        """Prediction minus reference: positive when too much was segmented."""
        return self.prediction_ml - self.reference_ml

    @property
    def absolute_ml(self) -> float:
        """The difference without its sign, so that too much and too little do not cancel in a mean."""
        return abs(self.difference_ml)

    @property
    def relative(self) -> float | None:
        """The signed difference as a fraction of the reference; None for an empty reference."""
        return self.difference_ml / self.reference_ml if self.reference_ml > 0 else None
