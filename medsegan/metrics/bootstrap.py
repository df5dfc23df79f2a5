"""How sure a mean is, by resampling patients (Efron 1979, percentile interval)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError

RESAMPLES = 2000
LEVEL = 0.95
# Fewer patients than this can be drawn in so few ways that the interval says nothing.
_MEANINGFUL_FROM = 4
# Resamples are drawn in blocks of about this many numbers, to bound the memory on large archives.
_BLOCK_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean and its bootstrap percentile interval.

    Args:
        mean: over all values.
        low: lower end.
        high: upper end.
        n: number of patients.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def meaningful(self) -> bool:
        """False with three patients or fewer."""
        return self.n >= _MEANINGFUL_FROM


def bootstrap_mean(
    values: Mapping[str, Sequence[float]], seed: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """The mean of all values with its interval; whole patients are drawn, with all of their values.

    Args:
        values: finite values of each patient, by patient id; patients without values are ignored.
        seed: equal seeds give equal intervals, in whatever order the patients come.
        resamples: number of draws.
        level: confidence, between 0 and 1.

    Raises:
        DataError: there is no value, or one that is not finite.
    """
    patients = sorted(patient for patient, numbers in values.items() if len(numbers))
    sums = np.array([float(np.sum(values[patient])) for patient in patients])
    counts = np.array([len(values[patient]) for patient in patients])
    n = len(patients)
    if n == 0 or not np.isfinite(sums).all():
        raise DataError(
            f"a mean over {n} patients with the sums {sums.tolist()} does not exist; settle misses first"
        )
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK_NUMBERS // n)
    means = []
    for start in range(0, resamples, block):
        drawn = rng.integers(n, size=(min(block, resamples - start), n))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(np.concatenate(means), [tail, 1.0 - tail])
    return Interval(mean=float(sums.sum() / counts.sum()), low=float(low), high=float(high), n=n)
