"""`medsegan info`: versions, devices, kernels and the workspace."""

import typer

from medsegan.errors import InputError

from .console import Console
from .invocation import chosen_workspace
from .options import JsonOption, WorkspaceOption
from .table import format_record

EXAMPLES = (
    "medsegan info",
    "medsegan info --json",
)


def info(context: typer.Context, json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show versions, devices, which kernels are in use and why, and what the workspace holds."""
    from medsegan.workflows.info import collect_info
    from medsegan.workflows.workspace import Workspace

    override = chosen_workspace(context, workspace)
    try:
        found = Workspace.find(override=override)
    except InputError:
        if override is not None:
            raise
        found = None
    facts = collect_info(found)
    console = Console(json)
    if json:
        console.document(facts)
    else:
        console.result(format_record(facts))
