"""`medsegan verify`: everything that is wrong with a data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medsegan.errors import DataError

from .console import Console
from .invocation import invocation_of
from .options import (
    ContrastOption,
    FixGapsOption,
    JsonOption,
    LabelsOption,
    ModalityOption,
    SeriesOption,
    WorkersOption,
    given,
)
from .parse import parse_classes
from .table import format_table

if TYPE_CHECKING:
    from medsegan.workflows.verify import Finding, VerifyResult

EXAMPLES = (
    "medsegan verify ct_dir/",
    "medsegan verify scans/ --labels masks/ --modality ct --classes liver=6,spleen=1",
    "medsegan verify Dataset042_Liver/ --json > findings.json",
)
MOST_ROWS_OF_A_KIND = 12
"""More rows that differ in their case alone are shown as one, unless -v asks for all."""
_SHOWN_CASES = 3

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH", readable=False, help="Scans, or folders of scans and labels.")
]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="NAME=VALUE,...", help="Classes that the label files must hold."),
]


def verify(
    context: typer.Context,
    paths: Paths,
    labels: LabelsOption = None,
    modality: ModalityOption = None,
    classes: Classes = None,
    contrast: ContrastOption = None,
    series: SeriesOption = None,
    fix_gaps: FixGapsOption = False,
    workers: WorkersOption = None,
    json: JsonOption = False,
) -> None:
    """Say everything that is wrong with a data set in one table; nothing is written.

    Looks for scans and labels that cannot be read or do not lie on each other, label values nobody named, empty
    labels, the same scan under two names, patients in two parts of the data set, and intensities out of the range
    of their modality. Ends with exit code 4 if there is an error; warnings alone are 0. Where DICOM is among them
    scans and files are called by numbers; `medsegan -v verify` shows their names.
    """
    from medsegan.workflows import verify as workflow

    is_verbose = invocation_of(context).is_verbose
    options = workflow.VerifyOptions(
        paths=tuple(paths),
        fix_gaps=fix_gaps,
        show_names=is_verbose,
        **given(labels=labels, modality=modality, contrast=contrast, series=series, workers=workers),
        **given(classes=None if classes is None else parse_classes(classes)),
    )
    console = Console(json)
    with console.progress() as progress:
        result = workflow.verify(options, progress)
    _show(console, result, is_verbose)
    if result.n_errors:
        raise DataError(
            f"{_count(result.n_errors, 'error')} in the data set; the table says where, and what to do"
        )


def _show(console: Console, result: "VerifyResult", is_verbose: bool) -> None:
    if console.is_json:
        console.document(result)
        return
    console.remaining_notes(result.notes)
    if result.findings:
        rows = _rows(result.findings, is_verbose)
        header = ("severity", "case", "what", "measured", "what to do")
        console.result(format_table(header, rows, n_text_columns=len(header)) + "\n")
    console.result(_summary(result))


def _rows(findings: "Sequence[Finding]", is_verbose: bool) -> list[tuple[str, ...]]:
    """A row for each finding; many of one kind in a row of their own, with the first few cases."""
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.severity, finding.what, finding.remedy), []).append(finding)
    rows: list[tuple[str, ...]] = []
    for (severity, what, remedy), group in kinds.items():
        if is_verbose or len(group) <= MOST_ROWS_OF_A_KIND:
            rows += [(severity, one.case, what, one.measured, remedy) for one in group]
        else:
            names = ", ".join(one.case for one in group[:_SHOWN_CASES])
            cases = f"{len(group)} cases: {names}, ... (-v: all)"
            rows.append((severity, cases, what, f"{group[0].measured}; ...", remedy))
    return rows


def _summary(result: "VerifyResult") -> str:
    apart = f" and {result.n_test_cases} set apart for the test" if result.n_test_cases else ""
    looked_at = (
        f"{_count(result.n_cases, 'scan')} of {_count(result.n_patients, 'patient')}, "
        f"{result.n_labeled} with labels{apart}"
    )
    if not result.findings:
        return f"{looked_at}: nothing wrong was found"
    return f"{looked_at}: {_count(result.n_errors, 'error')}, {_count(result.n_warnings, 'warning')}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
