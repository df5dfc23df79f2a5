"""What went wrong in one line, and the exit code that says so to a script."""

import errno
import re
import sys
from dataclasses import dataclass

import typer

from medsegan.errors import InputError, MedseganError, OutOfMemoryError, UsageError

UNEXPECTED = 1
INTERRUPTED = 130


@dataclass(frozen=True)
class Explanation:
    """One line for a person and one number for a script.

    Args:
        text: without the program's name; empty = nothing to say.
        exit_code: see the table in the README.
    """

    text: str
    exit_code: int


def explain(error: BaseException) -> Explanation:
    """The explanation of any error that reached the outermost level."""
    if isinstance(error, MedseganError):
        return Explanation(_with_table(str(error)), error.exit_code)
    if isinstance(error, typer.TyperException):
        return Explanation(_usage(error), error.exit_code)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return Explanation("interrupted", INTERRUPTED)
    if is_out_of_memory(error):
        return Explanation(_out_of_memory(error), OutOfMemoryError.exit_code)
    if type(error).__module__.startswith("pydantic") and type(error).__name__ == "ValidationError":
        return Explanation(_invalid_fields(error), UsageError.exit_code)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Explanation(f"the disk is full: {error}; free some space and run the command again", UNEXPECTED)
    if isinstance(error, PermissionError):
        where = f"{error.filename}: " if error.filename else ""
        return Explanation(
            f"{where}{error.strerror or error}; change who may read and write it", InputError.exit_code
        )
    name = type(error).__name__
    said = _one_line(str(error))
    hint = "this is a fault of medsegan; `medsegan -v ...` shows where"
    return Explanation(
        f"unexpected {name}: {said} ({hint})" if said else f"unexpected {name} ({hint})", UNEXPECTED
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the memory of the machine or of a device ran out; never imports torch to find out."""
    torch = sys.modules.get("torch")
    if isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError)):
        return True
    # torch's allocator for the CPU raises a plain RuntimeError.
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def _out_of_memory(error: BaseException) -> str:
    said = _one_line(str(error))
    remedy = "use a smaller --size, a smaller preset or batch, or --device cpu"
    return f"out of memory: {said}; {remedy}" if said else f"out of memory; {remedy}"


def _usage(error: typer.TyperException) -> str:
    """The parser's own sentence and where to read more."""
    said = _one_line(error.format_message())
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "medsegan"
    return f"{said} See `{where} --help`." if said.endswith((".", "?")) else f"{said}; see `{where} --help`"


def _invalid_fields(error: BaseException) -> str:
    """Every field of a pydantic error with its path, for example "generator.channels: Input should be ..."."""
    problems: list[dict[str, object]] = getattr(error, "errors", list)()
    sentences = [_field_sentence(problem) for problem in problems]
    return "invalid setting: " + "; ".join(sentences)


def _field_sentence(problem: dict[str, object]) -> str:
    location = problem.get("loc")
    path = ".".join(str(part) for part in location) if isinstance(location, tuple) and location else "settings"
    return f"{path}: {problem.get('msg')}, got {problem.get('input')!r}"


def _with_table(text: str) -> str:
    """One line, and below it the rows that a message ends with where there is something to choose from."""
    first, *rows = re.split(r"\n(?=  \d+: )", text)
    return "\n".join([_one_line(first), *(f"  {_one_line(row)}" for row in rows)])


def _one_line(text: str) -> str:
    return " ".join(text.split())
