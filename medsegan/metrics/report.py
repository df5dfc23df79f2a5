"""The result of an evaluation: every score of every case, and the files that it becomes."""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, NothingToDoError
from .bootstrap import LEVEL, RESAMPLES
from .document import write_document
from .metric import METRICS
from .policy import POLICY_MEANING, EmptyPolicy
from .score import ClassScore
from .summary import ClassSummary, summarise_class, summarise_mean

COLUMNS = (
    "case",
    "patient",
    "domain",
    "class",
    "metric",
    "value",
    "status",
    "unit",
    "n_ref",
    "n_pred",
    "ml_ref",
    "ml_pred",
)
"""Columns of the long table."""


@dataclass(frozen=True)
class CaseScores:
    """The scores of one case.

    Args:
        case_id: hashed id, written into the files as it is.
        patient_id: hashed id; cases of one patient share it.
        scores: one for each class.
    """

    case_id: str
    patient_id: str
    scores: tuple[ClassScore, ...]


@dataclass(frozen=True)
class Summary:
    """A report in few numbers.

    Args:
        classes: one for each class, in the order of the report.
        mean: the mean over classes of each patient, over patients.
    """

    classes: tuple[ClassSummary, ...]
    mean: ClassSummary


@dataclass(frozen=True)
class EvaluationReport:
    """One model on one split of one domain. Pure data: asking twice gives the same answer twice.

    Args:
        run: name of the run or model.
        domain: name of the domain that was tested.
        in_domain: whether the model was trained on this domain.
        split: "train", "val" or "test", or whatever the cases were chosen by.
        policy: what a missed or invented class counts.
        rows: every case of the split, also those without a prediction (`score_missing`).
        seed: of the bootstrap.

    Raises:
        NothingToDoError: there is no case.
        DataError: a case occurs twice, or the cases were scored for different classes.
    """

    run: str
    domain: str
    in_domain: bool
    split: str
    policy: EmptyPolicy
    rows: tuple[CaseScores, ...]
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.rows:
            raise NothingToDoError(
                f"no case of domain {self.domain!r} in split {self.split!r}; choose another split"
            )
        seen: set[str] = set()
        for row in self.rows:
            if row.case_id in seen:
                raise DataError(f"case {row.case_id} occurs twice in the report; score every case once")
            seen.add(row.case_id)
            names = tuple(score.class_name for score in row.scores)
            if names != self.class_names:
                raise DataError(
                    f"case {row.case_id} has the classes {names}, the first case has {self.class_names}"
                )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores."""
        return tuple(score.class_name for score in self.rows[0].scores)

    @property
    def n_patients(self) -> int:
        """Number of different patients."""
        return len({row.patient_id for row in self.rows})

    def summary(self) -> Summary:
        """The report per class over cases, and the mean over classes over patients."""
        classes = []
        for index, name in enumerate(self.class_names):
            scores = [(row.case_id, row.patient_id, row.scores[index]) for row in self.rows]
            classes.append(summarise_class(name, scores, self.policy, self.seed))
        everything = [(row.patient_id, score) for row in self.rows for score in row.scores]
        return Summary(tuple(classes), summarise_mean(everything, self.policy, self.seed))

    def to_json(self) -> dict[str, Any]:
        """The summary with everything that is needed to read it; plain values, all numbers finite."""
        summary = self.summary()
        return {
            "version": 1,
            "run": self.run,
            "domain": self.domain,
            "in_domain": self.in_domain,
            "split": self.split,
            "empty_policy": self.policy,
            "empty_policy_meaning": POLICY_MEANING[self.policy],
            "n_cases": len(self.rows),
            "n_patients": self.n_patients,
            "bootstrap": {
                "over": "patients",
                "method": "percentile",
                "resamples": RESAMPLES,
                "level": LEVEL,
                "seed": self.seed,
            },
            "definitions": {metric.name: metric.definition for metric in METRICS},
            "classes": {one.name: one.to_json() for one in summary.classes},
            "mean_over_classes": summary.mean.to_json(),
        }

    def write_csv(self, path: Path) -> None:
        """Nothing; writes the long table, raw: one row per case, class and metric.

        `value` is "inf" for the distance of a class that was missed or invented, and empty where none exists.

        Args:
            path: the file, replaced at once when it exists.

        Raises:
            InputError: it cannot be written.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in self.rows:
            for score in row.scores:
                writer.writerows(_long_rows(row, score, self.domain))
        write_document(text.getvalue(), path)

    def write_json(self, path: Path) -> None:
        """Nothing; writes `to_json`.

        Args:
            path: the file, replaced at once when it exists.

        Raises:
            InputError: it cannot be written.
        """
        write_document(json.dumps(self.to_json(), indent=2, allow_nan=False) + "\n", path)


def _long_rows(row: CaseScores, score: ClassScore, domain: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for metric in METRICS:
        value = score.value(metric.name)
        what = (row.case_id, row.patient_id, domain, score.class_name, metric.name)
        amounts = (score.n_reference, score.n_prediction, score.reference_ml, score.prediction_ml)
        rows.append((*what, "" if value is None else value, score.status.value, metric.unit, *amounts))
    return rows
