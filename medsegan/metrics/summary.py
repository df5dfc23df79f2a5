"""What a report says in few numbers: per class over cases, and the mean over classes over patients."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from .bootstrap import Interval, bootstrap_mean
from .metric import METRICS, Metric, MetricName
from .policy import EmptyPolicy, settle
from .score import ClassScore
from .status import Status

_N_WORST = 3


@dataclass(frozen=True)
class Sample:
    """One value and where it comes from.

    Args:
        origin: id of the case, or of the patient in the mean over classes.
        patient_id: whose it is.
        value: finite, in the metric's unit.
    """

    origin: str
    patient_id: str
    value: float


@dataclass(frozen=True)
class Distribution:
    """One metric of one class, or of the mean over classes. Everything but `n` is None or empty when n is 0.

    Args:
        metric: which one.
        n: number of values: cases of a class, patients of the mean over classes.
        mean: arithmetic.
        sd: sample standard deviation; None below two values.
        median: the middle.
        quartiles: 25th and 75th percentile, linear interpolation.
        interval: of the mean, by resampling patients.
        worst: the samples at the bad end, worst first.
    """

    metric: Metric
    n: int
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    quartiles: tuple[float, float] | None = None
    interval: Interval | None = None
    worst: tuple[Sample, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, all finite."""
        ends = None
        if self.interval is not None:
            ends = {
                "low": self.interval.low,
                "high": self.interval.high,
                "n_patients": self.interval.n,
                "meaningful": self.interval.meaningful,
            }
        return {
            "unit": self.metric.unit,
            "n": self.n,
            "mean": self.mean,
            "sd": self.sd,
            "median": self.median,
            "quartiles": list(self.quartiles) if self.quartiles else None,
            "interval": ends,
            "worst": [{"id": sample.origin, "value": sample.value} for sample in self.worst],
        }


@dataclass(frozen=True)
class Detection:
    """How often a class was found, missed and invented, in cases.

    Args:
        n_ok: in both masks.
        n_missed: in the reference alone, or without any prediction.
        n_false_alarm: in the prediction alone.
        n_both_empty: in neither.
    """

    n_ok: int
    n_missed: int
    n_false_alarm: int
    n_both_empty: int

    @property
    def n_expected(self) -> int:
        """Cases in which the class had to be found."""
        return self.n_ok + self.n_missed

    @property
    def n_absent(self) -> int:
        """Cases in which the class had to be left alone."""
        return self.n_false_alarm + self.n_both_empty

    def __str__(self) -> str:
        return f"missed {self.n_missed} of {self.n_expected}, false alarms {self.n_false_alarm} of {self.n_absent}"

    def to_json(self) -> dict[str, int]:
        """The counts, with what they are counts of."""
        return {
            "missed": self.n_missed,
            "expected": self.n_expected,
            "false_alarms": self.n_false_alarm,
            "absent": self.n_absent,
            "both_empty": self.n_both_empty,
        }


@dataclass(frozen=True)
class ClassSummary:
    """One class over all cases, or the mean over classes over all patients.

    Args:
        name: of the class; "mean" for the mean over classes.
        detection: counts; over classes and cases for the mean.
        n_left_out: one-sided scores that the policy keeps out of the means.
        distributions: one for each metric of the report, in its order.
    """

    name: str
    detection: Detection
    n_left_out: int
    distributions: tuple[Distribution, ...]

    def metric(self, name: MetricName) -> Distribution:
        """The distribution of one metric."""
        return next(one for one in self.distributions if one.metric.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, by metric."""
        return {
            "detection": self.detection.to_json(),
            "left_out": self.n_left_out,
            "metrics": {one.metric.name: one.to_json() for one in self.distributions},
        }


def detect(scores: Iterable[ClassScore]) -> Detection:
    """The counts of every status.

    Args:
        scores: of one class over cases, or of all classes.
    """
    statuses = [score.status for score in scores]
    return Detection(
        *(statuses.count(s) for s in (Status.OK, Status.MISSED, Status.FALSE_ALARM, Status.BOTH_EMPTY))
    )


def summarise_class(
    name: str, scores: Sequence[tuple[str, str, ClassScore]], policy: EmptyPolicy, seed: int
) -> ClassSummary:
    """One class over cases.

    Args:
        name: of the class.
        scores: (case id, patient id, score) of every case.
        policy: what one-sided cases count.
        seed: of the bootstrap.
    """
    distributions = []
    for metric in METRICS:
        settled = ((case, patient, settle(score, metric, policy)) for case, patient, score in scores)
        samples = [Sample(case, patient, value) for case, patient, value in settled if value is not None]
        distributions.append(_distribution(metric, samples, seed))
    return _class_summary(name, [score for *_, score in scores], policy, distributions)


def summarise_mean(
    scores: Sequence[tuple[str, ClassScore]], policy: EmptyPolicy, seed: int, name: str = "mean"
) -> ClassSummary:
    """The mean over classes of each patient, over patients; a class that a patient has in no mask does not count.

    Args:
        scores: (patient id, score) of every class and case.
        policy: what one-sided cases count.
        seed: of the bootstrap.
        name: of the summary.
    """
    distributions = []
    for metric in METRICS:
        values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for patient, score in scores:
            value = settle(score, metric, policy)
            if value is not None:
                values[patient][score.class_name].append(value)
        samples = [
            Sample(patient, patient, fmean(fmean(cases) for cases in by_class.values()))
            for patient, by_class in values.items()
        ]
        distributions.append(_distribution(metric, samples, seed))
    return _class_summary(name, [score for _, score in scores], policy, distributions)


def _class_summary(
    name: str, scores: Sequence[ClassScore], policy: EmptyPolicy, distributions: Sequence[Distribution]
) -> ClassSummary:
    one_sided = sum(score.status.one_sided for score in scores)
    return ClassSummary(name, detect(scores), one_sided if policy == "exclude" else 0, tuple(distributions))


def _distribution(metric: Metric, samples: Sequence[Sample], seed: int) -> Distribution:
    if not samples:
        return Distribution(metric, n=0)
    # Sums depend on their order in the last digit; a report must not depend on the order of its cases.
    samples = sorted(samples, key=lambda sample: sample.origin)
    by_patient: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        by_patient[sample.patient_id].append(sample.value)
    values = np.array([sample.value for sample in samples])
    interval = bootstrap_mean(by_patient, seed)
    lower, median, upper = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
    return Distribution(
        metric=metric,
        n=len(samples),
        mean=interval.mean,
        sd=float(values.std(ddof=1)) if len(samples) > 1 else None,
        median=median,
        quartiles=(lower, upper),
        interval=interval,
        worst=_worst(metric, samples),
    )


def _worst(metric: Metric, samples: Sequence[Sample]) -> tuple[Sample, ...]:
    badness = {
        "lowest": lambda sample: -sample.value,
        "highest": lambda sample: sample.value,
        "farthest_from_zero": lambda sample: abs(sample.value),
    }[metric.worst]
    return tuple(sorted(samples, key=lambda sample: (-badness(sample), sample.origin))[:_N_WORST])
