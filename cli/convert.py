"""`medsegan convert`: a scan or labels in one format in, the same in another out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .console import Console
from .invocation import invocation_of
from .options import (
    ChannelOption,
    DicomFormOption,
    DryRunOption,
    FixGapsOption,
    JsonOption,
    OverwriteOption,
    ReproducibleUidsOption,
    ResampleLabelsOption,
    given,
)
from .parse import parse_classes
from .table import format_cell

if TYPE_CHECKING:
    from medsegan.workflows.convert import ConvertResult

EXAMPLES = (
    "medsegan convert dicom_dir/ scan.nii.gz --series 2",
    "medsegan convert mask.nii.gz mask.dcm --source dicom_dir/ --names liver=1,spleen=2",
    "medsegan convert plan.dcm mask.nii.gz --source dicom_dir/",
    "medsegan convert segmentations/ labels.nrrd",
)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="INPUT",
        readable=False,
        help="A scan, a DICOM series, or labels: a volume, SEG, RTSTRUCT, a folder of classes.",
    ),
]
Output = Annotated[
    Path,
    typer.Argument(
        metavar="OUTPUT",
        help="File to write: .nii.gz, .nii, .nrrd, .mha; of labels also .dcm, and .png of a picture.",
    ),
]
Series = Annotated[
    str | None, typer.Option("--series", metavar="UID|N", help="Which series, where a DICOM folder holds several.")
]
Maker = Annotated[
    str | None,
    typer.Option(
        "--made-by",
        metavar="WHO",
        help='Who made labels that are written as DICOM: manual, semiautomatic, or a program ("name 1.2").',
    ),
]
Reference = Annotated[
    Path | None,
    typer.Option(
        "--source",
        metavar="SCAN",
        help="The scan that labels belong to: they get its grid. Needed for .dcm and for contours.",
    ),
]
IsMask = Annotated[
    bool | None,
    typer.Option(
        "--mask/--scan",
        help="What INPUT holds. Default: DICOM, colours, folders and names of classes say it; else fewer than "
        "200 different whole numbers from 0 (of a picture, 65) are labels. Values are kept either way.",
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        "--names",
        metavar="NAME=VALUE,...",
        help="Names of the classes; of labels that have names, which ones to keep, at which value.",
    ),
]


def convert(
    context: typer.Context,
    source: Source,
    output: Output,
    series: Series = None,
    form: DicomFormOption = None,
    maker: Maker = None,
    reference: Reference = None,
    is_mask: IsMask = None,
    names: Names = None,
    fix_gaps: FixGapsOption = False,
    channel: ChannelOption = None,
    resample_labels: ResampleLabelsOption = False,
    reproducible_uids: ReproducibleUidsOption = False,
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> None:
    """Write a scan or labels in another format: a DICOM series as NIfTI, a mask as SEG or RTSTRUCT, and back.

    Prints the path of what was written. The suffix of OUTPUT decides the format; voxels, their place and the names
    of classes are kept. Beside OUTPUT lies its provenance (.medsegan.json), without a word about the patient.
    """
    from medsegan.workflows import convert as workflow

    kind: Literal["scan", "mask"] | None = None if is_mask is None else "mask" if is_mask else "scan"
    options = workflow.ConvertOptions(
        source=source,
        output=output,
        fix_gaps=fix_gaps,
        resample_labels=resample_labels,
        reproducible_uids=reproducible_uids,
        overwrite=overwrite,
        dry_run=dry_run,
        show_names=invocation_of(context).is_verbose,
        **given(series=series, form=form, maker=maker, reference=reference, kind=kind, channel=channel),
        **given(names=None if names is None else parse_classes(names, "--names")),
    )
    console = Console(json)
    with console.progress() as progress:
        result = workflow.convert(options, progress)
    _show(console, result)


def _show(console: Console, result: "ConvertResult") -> None:
    if console.is_json:
        console.document(result)
        return
    console.result(str(result.output))
    console.remaining_notes(result.notes)
    shape, spacing = (" x ".join(format_cell(n) for n in size) for size in (result.shape, result.spacing_mm))
    classes = ", ".join(f"{name}={value}" for name, value in result.labels.items())
    console.note(f"{result.kind} of {shape} voxels of {spacing} mm{f': {classes}' if classes else ''}")
    if result.dry_run:
        console.note("nothing was written (--dry-run)")
