"""Whether slices lie evenly one above the other, and the even step that they could be resampled to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import DataError

_MIN_SHARE = 0.2
_WHOLE = 0.1
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Spacing:
    """The gaps between the slices of a series.

    Args:
        along_normal: (n,) positions along the normal of the slices, mm, rising; at least two.
    """

    along_normal: npt.NDArray[np.float64]

    @property
    def gaps(self) -> npt.NDArray[np.float64]:
        """(n - 1,) distances of neighbours, mm."""
        return np.diff(self.along_normal)

    @property
    def mean_mm(self) -> float:
        """The step if the slices are even."""
        return float((self.along_normal[-1] - self.along_normal[0]) / (len(self.along_normal) - 1))

    @property
    def tolerance_mm(self) -> float:
        """By how much a position may be off: a hundredth of the usual gap, but at least 0.01 mm."""
        return max(0.01 * abs(float(np.median(self.gaps))), 0.01)

    @property
    def worst_mm(self) -> float:
        """The largest distance of a position from its place in an even stack."""
        regular = self.along_normal[0] + self.mean_mm * np.arange(len(self.along_normal))
        offset = float(np.mean(self.along_normal - regular))
        return float(np.abs(self.along_normal - regular - offset).max())

    @property
    def is_even(self) -> bool:
        """Whether one step describes all gaps."""
        # Each position may be off by the tolerance, so a gap may be off by twice as much.
        uneven_mm = float(np.abs(self.gaps - self.mean_mm).max())
        return self.worst_mm <= self.tolerance_mm and uneven_mm <= 2 * self.tolerance_mm < 2 * self.mean_mm

    @property
    def usual_mm(self) -> float:
        """The smallest gap that a fifth of all gaps have; the median if none is so frequent."""
        gaps = self.gaps
        alike = np.abs(gaps[:, None] - gaps[None, :]) <= 2 * self.tolerance_mm
        frequent = gaps[alike.sum(axis=1) >= max(_MIN_SHARE * len(gaps), min(2, len(gaps)))]
        if not len(frequent):
            return float(np.median(gaps))
        return float(frequent[np.abs(frequent - frequent.min()) <= 2 * self.tolerance_mm].mean())

    def describe(self) -> str:
        """The gaps in words: the usual one, the others with their positions, and what they look like."""
        usual, gaps = self.usual_mm, self.gaps
        odd = [index for index, gap in enumerate(gaps) if abs(gap - usual) > 2 * self.tolerance_mm]
        shown = ", ".join(f"{gaps[i]:.3f} mm after position {self.along_normal[i]:.3f}" for i in odd[:_SHOWN])
        more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
        multiples = [gaps[i] / usual for i in odd] if usual > 0 else []
        whole = bool(multiples) and all(n > 1 and abs(n - round(n)) < _WHOLE for n in multiples)
        few = len(odd) * 4 <= len(gaps)
        cause = "slices seem to be missing" if whole and few else "the spacing changes or a position is wrong"
        return (
            f"gaps of {usual:.3f} mm, but {shown or f'positions up to {self.worst_mm:.3f} mm off'}{more} "
            f"(tolerance {self.tolerance_mm:.3f} mm); {cause}"
        )

    def count_even(self, where: str) -> int:
        """How many slices an even stack of the usual step has from the first to the last position.

        Raises:
            DataError: two slices lie at one height, or more slices would be made up than there are.
        """
        if self.gaps.min() <= self.tolerance_mm:
            index = int(self.gaps.argmin())
            raise DataError(
                f"{where}: two slices lie {self.gaps[index]:.3f} mm apart at position "
                f"{self.along_normal[index]:.3f}, which no --fix-gaps can repair; keep one volume per folder"
            )
        n = len(self.along_normal)
        n_even = max(2, round((self.along_normal[-1] - self.along_normal[0]) / self.usual_mm) + 1)
        if n_even > 2 * n:
            raise DataError(
                f"{where}: {n} slices would become {n_even} by --fix-gaps, more than half of them made up: "
                f"{self.describe()}. Export the series again"
            )
        return n_even
