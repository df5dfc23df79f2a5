"""`medsegan segment`: a scan in, its label volume out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medsegan.errors import InputError

from .batch import end_batch
from .console import Console
from .invocation import chosen_workspace, invocation_of
from .options import (
    ChannelOption,
    DeviceOption,
    DicomFormOption,
    DryRunOption,
    FixGapsOption,
    JsonOption,
    KeepLargestOption,
    ModalityOption,
    ObjectiveOption,
    OverwriteOption,
    QualityOption,
    ReproducibleUidsOption,
    StepsOption,
    WorkspaceOption,
    given,
)
from .table import format_table

if TYPE_CHECKING:
    from medsegan.workflows.segment import SegmentResult
    from medsegan.workflows.workspace import Workspace

EXAMPLES = (
    "medsegan segment scan.nii.gz -o mask.nii.gz",
    "medsegan segment dicom_dir/ -o mask.nrrd --series 2 --preview look.png",
    "medsegan segment scans/ -o masks/ --skip-existing",
    "medsegan segment dicom_dir/ -o mask.dcm --as rtstruct",
    "medsegan segment scan.mha -o mask.mha --model runs/nine --quality fast --keep-all",
)

Source = Annotated[
    Path, typer.Argument(metavar="SCAN", readable=False, help="A scan, a DICOM series, or a folder of scans.")
]
Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="PATH",
        help="Mask to write (.nii.gz, .nrrd, .mha; .png of a picture; .dcm of a DICOM series), or a folder.",
    ),
]
Model = Annotated[
    str | None, typer.Option("--model", metavar="RUN|PATH", help="Run name or model folder; default: newest run.")
]
Probabilities = Annotated[
    Path | None, typer.Option("--probabilities", metavar="FILE", help="Also write the class probabilities.")
]
Residual = Annotated[
    Path | None,
    typer.Option("--residual", metavar="FILE", help="Also write the reconstruction error as a volume."),
]
Preview = Annotated[
    Path | None, typer.Option("--preview", metavar="PNG", help="Also write a picture of contours on slices.")
]
Series = Annotated[
    str | None, typer.Option("--series", metavar="UID|N", help="Which series, if the DICOM folder holds several.")
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Go on with a batch: leave masks of the same scan, model and settings that were not changed since; "
        "others fail, or are made again with --overwrite.",
    ),
]


def segment(
    context: typer.Context,
    source: Source,
    output: Output,
    model: Model = None,
    quality: QualityOption = None,
    steps: StepsOption = None,
    objective: ObjectiveOption = None,
    probabilities: Probabilities = None,
    residual: Residual = None,
    preview: Preview = None,
    modality: ModalityOption = None,
    series: Series = None,
    fix_gaps: FixGapsOption = False,
    channel: ChannelOption = None,
    keep_largest: KeepLargestOption = None,
    form: DicomFormOption = None,
    reproducible_uids: ReproducibleUidsOption = False,
    device: DeviceOption = None,
    overwrite: OverwriteOption = False,
    skip_existing: SkipExisting = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the label volume of a scan, on the scan's own grid and with the labels' original values.

    Prints the path of every mask. A folder of scans in means a folder of masks out, going on past bad cases.
    Beside every file lies its provenance (.medsegan.json), without a word about the patient.
    """
    from medsegan.workflows import segment as workflow

    options = workflow.SegmentOptions(
        source=source,
        output=output,
        fix_gaps=fix_gaps,
        reproducible_uids=reproducible_uids,
        overwrite=overwrite,
        skip_existing=skip_existing,
        dry_run=dry_run,
        show_names=invocation_of(context).is_verbose,
        **given(model=model, quality=quality, steps=steps, probabilities=probabilities, residual=residual),
        **given(preview=preview, modality=modality, series=series, keep_largest=keep_largest, device=device),
        **given(objective=objective, form=form, channel=channel),
    )
    console = Console(json)
    found = _find_workspace(chosen_workspace(context, workspace), model)
    with console.progress() as progress:
        result = workflow.segment(found, options, progress)
    _show(console, result, dry_run)
    failures = [(str(failure.source), failure.message) for failure in result.failures]
    hint = "ids stand for scans: segment.json of the private folder says for which; so does -v"
    end_batch(console, failures, len(result.cases) + len(result.skipped), hint)


def _find_workspace(override: Path | None, model: str | None) -> "Workspace | None":
    """The workspace; None where there is none and the model is named by its path."""
    from medsegan.workflows.workspace import Workspace

    try:
        return Workspace.find(override=override)
    except InputError:
        if override is None and model is not None and Path(model).exists():
            return None
        raise


def _show(console: Console, result: "SegmentResult", is_dry_run: bool) -> None:
    if console.is_json:
        console.document(result)
        return
    for case in result.cases:
        console.result(str(case.output))
        console.remaining_notes(f"{case.source.name}: {note}" for note in case.notes)
    if result.skipped:
        console.note(f"left {len(result.skipped)} finished masks as they were (--skip-existing)")
    if is_dry_run:
        console.note("nothing was segmented (--dry-run)")
    elif result.cases:
        names = list(dict.fromkeys(name for case in result.cases for name in case.volumes_ml))
        rows = [
            (
                case.output.name,
                *(_ml(case.volumes_ml.get(name)) for name in names),
                case.residual,
                round(case.seconds),
            )
            for case in result.cases
        ]
        console.note(format_table(("mask", *(f"{name} ml" for name in names), "residual", "s"), rows))


def _ml(volume: float | None) -> int | None:
    return None if volume is None else round(volume)
