"""The rule for empty masks: what a class that was missed or invented counts in a mean."""

from typing import Literal

from .metric import Metric
from .score import ClassScore
from .status import Status

EmptyPolicy = Literal["penalise", "exclude", "zero"]

POLICY_MEANING: dict[EmptyPolicy, str] = {
    "penalise": "a missed or invented class counts Dice 0 and the diagonal of the image as its distance",
    "exclude": "a missed or invented class is left out of the means, which do not get worse as more is missed",
    "zero": "a missed or invented class counts 0 in every metric, also in distances, where 0 is perfect",
}


def settle(score: ClassScore, metric: Metric, policy: EmptyPolicy) -> float | None:
    """The finite value with which a score enters the means, None when it does not.

    Args:
        score: one class of one case.
        metric: which of its numbers.
        policy: "penalise" is medsegan's rule; the others are there for comparison with other recipes.
    """
    if score.status is Status.BOTH_EMPTY:
        return None
    if score.status is Status.OK or (metric.penalty == "itself" and policy == "penalise"):
        return score.value(metric.name)
    if policy == "exclude":
        return None
    return score.diagonal_mm if policy == "penalise" and metric.penalty == "diagonal" else 0.0
