"""Scores in millimetres: overlap, surfaces, volumes, the rule for empty masks, intervals and reports."""

from .bootstrap import Interval, bootstrap_mean
from .metric import METRICS, Metric, MetricName
from .overlap import Overlap, dice, iou
from .policy import POLICY_MEANING, EmptyPolicy, settle
from .report import CaseScores, EvaluationReport, Summary
from .score import ClassScore, score_case, score_missing
from .status import Status, status_of
from .summary import ClassSummary, Detection, Distribution, Sample
from .surface import SurfaceDistances, compute_surface_distances
from .table import Table, tabulate
from .volume import VolumeError

__all__ = [
    "METRICS",
    "POLICY_MEANING",
    "CaseScores",
    "ClassScore",
    "ClassSummary",
    "Detection",
    "Distribution",
    "EmptyPolicy",
    "EvaluationReport",
    "Interval",
    "Metric",
    "MetricName",
    "Overlap",
    "Sample",
    "Status",
    "Summary",
    "SurfaceDistances",
    "Table",
    "VolumeError",
    "bootstrap_mean",
    "compute_surface_distances",
    "dice",
    "iou",
    "score_case",
    "score_missing",
    "settle",
    "status_of",
    "tabulate",
]
