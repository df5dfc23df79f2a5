"""`medsegan demo`: the four commands on phantoms, from nothing to a table."""

from pathlib import Path
from typing import Annotated

import typer

from .console import Console
from .options import JsonOption, OverwriteOption, SeedOption, given
from .pace import format_duration
from .table import format_table

EXAMPLES = (
    "medsegan demo",
    "medsegan demo /tmp/demo --seed 1",
    "medsegan demo phantoms/ --phantoms-only",
)

Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder to fill.")]
PhantomsOnly = Annotated[bool, typer.Option("--phantoms-only", help="Write the phantom scans and stop.")]


def demo(
    folder: Folder = Path("demo"),
    phantoms_only: PhantomsOnly = False,
    seed: SeedOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Run everything on phantoms: train on CT with nine labelled patients, test on CT and on MR never seen.

    Needs no data, no network and no GPU: about a quarter of an hour on two cores.
    """
    from medsegan.workflows.demo import DemoOptions, run_demo

    options = DemoOptions(folder=folder, phantoms_only=phantoms_only, overwrite=overwrite, **given(seed=seed))
    console = Console(json)
    with console.progress() as progress:
        result = run_demo(options, progress)
    if json:
        console.document(result)
        return
    if result.rows:
        console.result(format_table(result.headers, result.rows, n_text_columns=2))
    for picture in result.pictures:
        console.result(str(picture))
    console.note(f"done in {format_duration(result.seconds)}; everything is in {folder}")
