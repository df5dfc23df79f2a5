"""What the options before the command say, handed to the command through typer's context."""

from dataclasses import dataclass
from pathlib import Path

import typer


@dataclass
class Invocation:
    """One call of the command line.

    Args:
        workspace: the folder given with -C before the command; None = look for it.
        is_verbose: whether an error shows its traceback.
    """

    workspace: Path | None = None
    is_verbose: bool = False


def invocation_of(context: typer.Context) -> Invocation:
    """The invocation that a command belongs to; a fresh one where the command is called without the app."""
    return context.find_object(Invocation) or Invocation()


def chosen_workspace(context: typer.Context, option: Path | None) -> Path | None:
    """The folder that the user named with -C, after the command or before it; None = look for it."""
    return option if option is not None else invocation_of(context).workspace
