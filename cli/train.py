"""`medsegan train`: the joint model of images and labels, then its encoder."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from .console import Console
from .invocation import chosen_workspace
from .options import DeviceOption, DryRunOption, JsonOption, OverwriteOption, SeedOption, WorkspaceOption, given
from .parse import parse_duration
from .table import format_record

if TYPE_CHECKING:
    from medsegan.workflows.train import TrainResult

EXAMPLES = (
    "medsegan train --labeled 9",
    "medsegan train --labeled 9 --time-budget 30m --name nine",
    "medsegan train --name nine --resume",
    "medsegan train --labeled 9 --method unet",
    "medsegan train --preset small --set generator.channel_max=64 --dry-run",
)

Domain = Annotated[
    str | None, typer.Option("--domain", metavar="NAME", help="Domain to learn; needed if several.")
]
Labeled = Annotated[
    int | None,
    typer.Option("--labeled", min=0, metavar="N", help="Labelled patients to use; the rest count as unlabelled."),
]
Method = Annotated[
    Literal["gan", "unet"] | None,
    typer.Option("--method", help="gan (default): the joint image-label model; unet: the yardstick."),
]
Preset = Annotated[
    str | None, typer.Option("--preset", metavar="NAME", help="auto (default), tiny (CPU), small, base, paper256.")
]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the run; default: method, domain, N.")
]
Images = Annotated[
    int | None, typer.Option("--images", min=1, metavar="N", help="Images that the first stage sees in all.")
]
EncoderImages = Annotated[
    int | None, typer.Option("--encoder-images", min=1, metavar="N", help="Images that the encoder sees in all.")
]
TimeBudget = Annotated[
    str | None, typer.Option("--time-budget", metavar="TIME", help="Stop in time, for example 30m or 2h.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any other setting, for example gan.batch=8."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run where it stopped.")]


def train(
    context: typer.Context,
    domain: Domain = None,
    labeled: Labeled = None,
    method: Method = None,
    preset: Preset = None,
    name: Name = None,
    images: Images = None,
    encoder_images: EncoderImages = None,
    time_budget: TimeBudget = None,
    settings: Settings = None,
    resume: Resume = False,
    seed: SeedOption = None,
    device: DeviceOption = None,
    overwrite: OverwriteOption = False,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Train on one domain of the workspace, with few labelled patients and all others unlabelled.

    Prints the folder of the run: config, statistics, sample pictures, checkpoints and the finished model.
    """
    from medsegan.workflows import train as workflow
    from medsegan.workflows.workspace import Workspace

    options = workflow.TrainOptions(
        resume=resume,
        overwrite=overwrite,
        dry_run=dry_run,
        settings=tuple(settings or ()),
        **given(domain=domain, labeled=labeled, method=method, preset=preset, name=name, images=images),
        **given(
            encoder_images=encoder_images,
            time_budget_s=None if time_budget is None else parse_duration(time_budget),
            seed=seed,
            device=device,
        ),
    )
    console = Console(json)
    found = Workspace.find(override=chosen_workspace(context, workspace))
    with console.progress() as progress:
        result = workflow.train(found, options, progress)
    _show(console, result, dry_run)


def _show(console: Console, result: "TrainResult", is_dry_run: bool) -> None:
    if console.is_json:
        console.document(result)
    elif is_dry_run:
        console.result(format_record(result.to_json()))
        console.note("nothing was trained (--dry-run)")
    else:
        console.result(str(result.path))
        console.note(f"next: medsegan segment SCAN -o MASK.nii.gz --model {result.run}")
