"""`medsegan prepare`: scans into a store of slices."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .batch import end_batch
from .console import Console
from .invocation import chosen_workspace, invocation_of
from .options import (
    ContrastOption,
    DryRunOption,
    FixGapsOption,
    JsonOption,
    LabelsOption,
    ModalityOption,
    OverwriteOption,
    ResampleLabelsOption,
    SeedOption,
    SeriesOption,
    SkipExistingOption,
    WorkersOption,
    WorkspaceOption,
    given,
)
from .parse import parse_classes, parse_window
from .table import format_record, format_table

if TYPE_CHECKING:
    from medsegan.workflows.prepare import PrepareResult

EXAMPLES = (
    "medsegan prepare ct_dir/",
    "medsegan prepare ct/images ct/labels --classes liver=6,spleen=1",
    "medsegan prepare scans/ --labels masks/ --domain mri-t2 --modality mr",
    "medsegan prepare dicom_dir/ --size 128 --dry-run",
    "medsegan prepare archive/ --workers 8 --skip-existing",
)

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH", readable=False, help="Scans, or folders of scans and labels.")
]
Domain = Annotated[
    str | None, typer.Option("--domain", metavar="NAME", help="Name of this kind of image; default: ct or mri.")
]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="NAME=VALUE,...", help="Classes to keep; all others become background."),
]
Size = Annotated[
    int | None,
    typer.Option("--size", metavar="PX", help="Pixels along each side of a slice; 128 in a new workspace."),
]
Plane = Annotated[
    Literal["axial", "coronal", "sagittal"] | None, typer.Option("--plane", help="Plane of the slices.")
]
Window = Annotated[
    str | None, typer.Option("--window", metavar="LOW,HIGH", help="Intensities shown to the model; HU for CT.")
]
ValFraction = Annotated[
    float | None,
    typer.Option("--val-fraction", metavar="F", help="Share of patients for validation; default 0.1."),
]
TestFraction = Annotated[
    float | None, typer.Option("--test-fraction", metavar="F", help="Share of patients for the test; default 0.2.")
]


def prepare(
    context: typer.Context,
    paths: Paths,
    labels: LabelsOption = None,
    domain: Domain = None,
    modality: ModalityOption = None,
    classes: Classes = None,
    size: Size = None,
    plane: Plane = None,
    contrast: ContrastOption = None,
    series: SeriesOption = None,
    fix_gaps: FixGapsOption = False,
    window: Window = None,
    val_fraction: ValFraction = None,
    test_fraction: TestFraction = None,
    seed: SeedOption = None,
    resample_labels: ResampleLabelsOption = False,
    workers: WorkersOption = None,
    overwrite: OverwriteOption = False,
    skip_existing: SkipExistingOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a store of 2D slices from NIfTI, NRRD, MHA or DICOM scans, with everything needed to undo it.

    Finds images and their labels in the usual layouts (two folders with equal names, suffixes in one folder,
    nnU-Net, MSD, MONAI datalist, BIDS), says what it took for what, and splits by patient. Makes a workspace in
    the current folder if there is none.
    """
    from medsegan.workflows import prepare as workflow
    from medsegan.workflows.privacy.redaction import HINT
    from medsegan.workflows.workspace import Workspace

    options = workflow.PrepareOptions(
        paths=tuple(paths),
        resample_labels=resample_labels,
        fix_gaps=fix_gaps,
        overwrite=overwrite,
        skip_existing=skip_existing,
        dry_run=dry_run,
        show_names=invocation_of(context).is_verbose,
        **given(labels=labels, domain=domain, modality=modality, size=size, plane=plane, seed=seed),
        **given(
            contrast=contrast,
            workers=workers,
            series=series,
            classes=None if classes is None else parse_classes(classes),
            window=None if window is None else parse_window(window),
            val_fraction=val_fraction,
            test_fraction=test_fraction,
        ),
    )
    console = Console(json)
    folder = Workspace.locate(override=chosen_workspace(context, workspace))
    try:
        with console.progress() as progress:
            result = workflow.prepare(folder, options, progress)
    except workflow.NothingPreparedError as error:
        console.failures(error.failures)
        if not options.show_names:
            console.note(HINT)
        raise
    _show(console, result)
    end_batch(console, result.failures, result.n_cases, None if dry_run else _way_back(result.domain))


def _way_back(domain: str) -> str:
    return f"ids stand for scans: private/domains/{domain}.json says for which; so does -v"


def _show(console: Console, result: "PrepareResult") -> None:
    if console.is_json:
        console.document(result)
        return
    console.remaining_notes(result.notes)
    low, high = result.window
    splits = ", ".join(f"{count} {name}" for name, count in result.splits.items())
    summary = {
        "domain": f"{result.domain} ({result.reason})",
        "layout": result.layout,
        "cases": f"{result.n_cases}, {result.n_labeled} with labels: {splits}{_taken_over(result)}",
        "slices": f"{result.n_slices:,} {result.plane}, {result.size} x {result.size} px",
        "window": f"{low:g} to {high:g}",
        "size": f"{result.bytes_needed / 1e6:,.1f} MB",
        "store": result.store,
        "picture": result.contact_sheet,
    }
    console.result(format_record(summary))
    if result.classes:
        header = ("class", "index", "value in", "value out", "cases", "mean ml")
        rows = [
            (one.name, one.index, one.domain_value, one.value, one.n_cases, _ml(one.volume_ml))
            for one in result.classes
        ]
        console.result("\n" + format_table(header, rows))
    next_step = "next: medsegan train --labeled N"
    console.note("nothing was written (--dry-run)" if result.dry_run else next_step)


def _taken_over(result: "PrepareResult") -> str:
    return f" ({result.n_taken_over} taken over as they were)" if result.n_taken_over else ""


def _ml(volume: float | None) -> int | None:
    return None if volume is None else round(volume)
