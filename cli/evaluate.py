"""`medsegan eval`: 3D scores of a run on a domain, per patient and per class."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .batch import end_batch
from .console import Console
from .invocation import chosen_workspace, invocation_of
from .options import (
    DeviceOption,
    JsonOption,
    KeepLargestOption,
    ObjectiveOption,
    OverwriteOption,
    QualityOption,
    ResampleLabelsOption,
    StepsOption,
    WorkspaceOption,
    given,
)
from .table import format_table

if TYPE_CHECKING:
    from medsegan.workflows.evaluate import EvaluateResult

EXAMPLES = (
    "medsegan eval --domain ct",
    "medsegan eval --domain mri --run nine --split test",
    "medsegan eval --domain mri --json > scores.json",
)

Domain = Annotated[str, typer.Option("--domain", metavar="NAME", help="Domain to test on.")]
Run = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="Run to test; default: the newest finished.")
]
Split = Annotated[
    Literal["train", "val", "test", "all"] | None,
    typer.Option("--split", help="Patients to test on; default test."),
]


def evaluate(
    context: typer.Context,
    domain: Domain,
    run: Run = None,
    split: Split = None,
    quality: QualityOption = None,
    steps: StepsOption = None,
    objective: ObjectiveOption = None,
    keep_largest: KeepLargestOption = None,
    device: DeviceOption = None,
    resample_labels: ResampleLabelsOption = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score a run in 3D, in millimetres, on the scans' own grids: Dice, Hausdorff, HD95, ASSD, volume difference.

    Segments what is not segmented yet. Says whether the domain was seen in training. Writes CSV and JSON
    to reports/.
    """
    from medsegan.workflows import evaluate as workflow
    from medsegan.workflows.workspace import Workspace

    options = workflow.EvaluateOptions(
        domain=domain,
        overwrite=overwrite,
        resample_labels=resample_labels,
        show_names=invocation_of(context).is_verbose,
        **given(run=run, split=split, quality=quality, steps=steps, device=device),
        **given(objective=objective, keep_largest=keep_largest),
    )
    console = Console(json)
    found = Workspace.find(override=chosen_workspace(context, workspace))
    with console.progress() as progress:
        result = workflow.evaluate(found, options, progress)
    _show(console, result)
    failures = [(str(failure.source), failure.message) for failure in result.failures]
    hint = f"ids stand for scans: private/domains/{domain}.json says for which; so does -v"
    end_batch(console, failures, len(result.report.rows) - len(failures), hint)


def _show(console: Console, result: "EvaluateResult") -> None:
    if console.is_json:
        console.document(result)
        return
    from medsegan.metrics import tabulate

    table = tabulate(result.report)
    console.result("\n".join((table.title, "", format_table(table.headers, table.rows, n_text_columns=1))))
    console.result("\n".join(("", *table.notes)))
    for path in (result.csv, result.json, result.picture):
        if path is not None:
            console.note(f"wrote {path}")
