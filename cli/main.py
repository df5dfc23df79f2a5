"""The door: runs a command, says what went wrong in one line, and alone ends the process."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import typer

from medsegan.errors import UsageError
from medsegan.workflows.privacy.quiet import quiet_libraries

from .app import app
from .console import Console
from .explain import INTERRUPTED, UNEXPECTED, explain
from .invocation import Invocation


def main() -> NoReturn:
    """Nothing: ends the process with the exit code of the command line."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code of one call of the command line; see the table in the README.

    Args:
        arguments: without the program's name.
    """
    if not arguments:
        run(["--help"])
        return UsageError.exit_code
    invocation = Invocation()
    command = typer.main.get_command(app)
    try:
        with quiet_libraries():
            code = command.main(list(arguments), prog_name="medsegan", standalone_mode=False, obj=invocation)
        if sys.stdout is not None:  # as after `medsegan ... >&-`
            sys.stdout.flush()
    except SystemExit as ending:  # typer's answer to a reader that went away, as in `medsegan ... | head`
        return ending.code if isinstance(ending.code, int) else UNEXPECTED
    except BrokenPipeError:
        _silence_stdout()
        return UNEXPECTED
    except (Exception, KeyboardInterrupt) as error:
        return _report(error, invocation.is_verbose)
    if code == INTERRUPTED:
        Console().error("interrupted")
    return code if isinstance(code, int) else 0


def _report(error: BaseException, is_verbose: bool) -> int:
    explanation = explain(error)
    console = Console()
    if is_verbose:
        console.note("".join(traceback.format_exception(error)).rstrip())
    console.error(explanation.text)
    return explanation.exit_code


def _silence_stdout() -> None:
    """Let Python's own flush at the end find a place to write to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
