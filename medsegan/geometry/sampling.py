"""Where the samples of a new axis lie on an old one."""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..errors import DataError


@dataclass(frozen=True)
class Sampling:
    """Evenly spaced samples along one axis of an array: sample i lies at source index `start + step * i`.

    Args:
        start: position of the first sample in source indices; integers are voxel centres.
        step: distance of neighbouring samples in source indices, not 0; above 1 the axis gets coarser.
        count: number of samples, at least 1.

    Raises:
        DataError: a number is not finite, the step is 0, or there is no sample.
    """

    start: float
    step: float
    count: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.step)) or self.step == 0 or self.count < 1:
            raise DataError(
                f"a sampling needs a finite start, a step that is not 0 and at least one sample, "
                f"got start {self.start}, step {self.step}, count {self.count}"
            )

    @property
    def positions(self) -> npt.NDArray[np.float64]:
        """(count,) positions of the samples in source indices."""
        return self.start + self.step * np.arange(self.count, dtype=np.float64)

    @property
    def is_exact(self) -> bool:
        """Whether every sample is a voxel centre and none is left out: nothing has to be interpolated."""
        return abs(self.step) == 1.0 and float(self.start).is_integer()

    def inverse(self, n_source: int) -> "Sampling":
        """Where the `n_source` indices of the source axis lie, in units of samples; undoes this sampling."""
        return Sampling(-self.start / self.step, 1.0 / self.step, n_source)

    def to_json(self) -> dict[str, Any]:
        """The sampling as plain numbers, exact to the last bit."""
        return {"start": self.start, "step": self.step, "count": self.count}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The sampling that `to_json` wrote."""
        return cls(float(document["start"]), float(document["step"]), int(document["count"]))
