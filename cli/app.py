"""The commands of medsegan and the options before them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from medsegan.workflows.privacy.quiet import hear_libraries

from . import convert, demo, evaluate, info, prepare, segment, train, verify
from .invocation import Invocation

EXAMPLES = (
    "medsegan prepare ct_dir/                       scans -> a store of slices",
    "medsegan train --labeled 9                     the model, then its encoder",
    "medsegan segment scan.nii.gz -o mask.nii.gz    a scan -> its labels",
    "medsegan eval --domain mri                     scores in 3D",
)

# Plain help: half the start-up time of the boxed one, and the same text in a pipe as on a terminal.
app = typer.Typer(
    add_completion=False, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from medsegan import __version__

        typer.echo(f"medsegan {__version__}")
        raise typer.Exit


def _epilog(examples: Sequence[str]) -> str:
    """The examples as one paragraph, which its first character asks the help formatter not to fill."""
    return "\n".join(("\b", "Examples:", *(f"  {example}" for example in examples)))


@app.callback(epilog=_epilog(EXAMPLES))
def options(
    context: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option("-C", "--workspace", metavar="DIR", help="Workspace to work in.")
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show tracebacks, and names of scans.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Segment medical images from few labels, with one generative model of images and labels."""
    invocation = context.ensure_object(Invocation)
    invocation.workspace, invocation.is_verbose = workspace, verbose
    if verbose:
        hear_libraries()


def _add(name: str, summary: str, command: Callable[..., Any], examples: Sequence[str]) -> None:
    app.command(name, short_help=summary, epilog=_epilog(examples))(command)


_add("prepare", "Turn scans and labels into a store of 2D slices.", prepare.prepare, prepare.EXAMPLES)
_add("train", "Train the joint model on few labelled patients.", train.train, train.EXAMPLES)
_add("segment", "Write the labels of a scan, or of a folder of scans.", segment.segment, segment.EXAMPLES)
_add("eval", "Score a run in 3D on a domain.", evaluate.evaluate, evaluate.EXAMPLES)
_add("convert", "Write a scan or labels in another format.", convert.convert, convert.EXAMPLES)
_add("verify", "Say everything that is wrong with a data set.", verify.verify, verify.EXAMPLES)
_add("info", "Show versions, devices, kernels and the workspace.", info.info, info.EXAMPLES)
_add("doctor", "The same as info.", info.info, info.EXAMPLES)
_add("demo", "Run all of it on phantoms, from nothing.", demo.demo, demo.EXAMPLES)
