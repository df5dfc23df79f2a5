"""A report as a table of text, for the terminal and for documents."""

from dataclasses import dataclass

from .metric import MetricName
from .policy import POLICY_MEANING
from .report import EvaluationReport
from .summary import ClassSummary, Distribution

_HEADERS = (
    "class",
    "Dice [95 % interval]",
    "HD95 mm",
    "HD mm",
    "ASSD mm",
    "volume diff ml",
    "missed",
    "false alarms",
)
_NONE = "-"


@dataclass(frozen=True)
class Table:
    """Text in rows and columns.

    Args:
        title: what was measured on what.
        headers: of the columns; the first column holds names, the others numbers.
        rows: one for each class, the mean over classes last.
        notes: what a reader has to know to read the numbers.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    def markdown(self) -> str:
        """The table as Markdown, numbers to the right."""
        lines = [self.headers, ("---", *("---:" for _ in self.headers[1:])), *self.rows]
        body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
        return "\n\n".join([f"**{self.title}**", body, "\n".join(f"- {note}" for note in self.notes)]) + "\n"


def tabulate(report: EvaluationReport) -> Table:
    """The table of a report: a row for each class, and the mean over classes.

    Args:
        report: any.
    """
    summary = report.summary()
    where = "in-domain" if report.in_domain else "OUT-OF-DOMAIN: the model was not trained on this domain"
    counts = f"{len(report.rows)} cases of {report.n_patients} patients"
    return Table(
        title=f"{report.run} on {report.domain}, split {report.split}, {counts}, {where}",
        headers=_HEADERS,
        rows=tuple(_row(one) for one in (*summary.classes, summary.mean)),
        notes=_notes(report, summary.mean),
    )


def _row(summary: ClassSummary) -> tuple[str, ...]:
    distances: tuple[MetricName, ...] = ("hd95", "hd100", "assd")
    found = summary.detection
    return (
        summary.name,
        _with_interval(summary.metric("dice")),
        *(_number(summary.metric(name).mean, "{:.1f}") for name in distances),
        _number(summary.metric("volume_difference").mean, "{:+.1f}"),
        f"{found.n_missed} of {found.n_expected}",
        f"{found.n_false_alarm} of {found.n_absent}",
    )


def _notes(report: EvaluationReport, mean: ClassSummary) -> tuple[str, ...]:
    left_out = f"; {mean.n_left_out} of them left out" if report.policy == "exclude" else ""
    notes = [
        "3D on the native grid; means over cases per class, last row: mean over classes, over patients",
        f"empty masks ({report.policy}): {POLICY_MEANING[report.policy]}{left_out}",
    ]
    interval = mean.metric("dice").interval
    if interval is None or not interval.meaningful:
        n = 0 if interval is None else interval.n
        notes.append(f"an interval from {n} patients is not meaningful and is not shown")
    else:
        notes.append("intervals: 95 % percentile bootstrap over patients")
    return tuple(notes)


def _with_interval(distribution: Distribution) -> str:
    text = _number(distribution.mean, "{:.3f}")
    interval = distribution.interval
    if interval is None or not interval.meaningful:
        return text
    return f"{text} [{interval.low:.3f}, {interval.high:.3f}]"


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None else form.format(value)
