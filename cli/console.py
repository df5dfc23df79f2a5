"""Where the command line speaks: the result on stdout, everything else on stderr."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from medsegan.progress import Progress

from .document import as_json
from .table import format_table


class Console:
    """The one writer to stdout and stderr.

    Args:
        is_json: the result is one JSON document, and neither bars nor progress lines are drawn.
    """

    def __init__(self, is_json: bool = False) -> None:
        self.is_json = is_json
        self._said: set[str] = set()

    def result(self, text: str) -> None:
        """Write a part of the result to stdout."""
        print(text, flush=True)

    def document(self, result: Any) -> None:
        """Write the result to stdout as one JSON document."""
        print(as_json(result), flush=True)

    def note(self, text: str) -> None:
        """Write one line to stderr: what was taken for what, what was repaired, what to do next."""
        self._said.add(text)
        print(text, file=sys.stderr, flush=True)

    def remaining_notes(self, notes: Iterable[str]) -> None:
        """Write those notes of a result that were not said while it came about."""
        for note in notes:
            if note not in self._said:
                self.note(note)

    def error(self, text: str) -> None:
        """Write the one line of an error to stderr, the program's name in red on a terminal."""
        mark = "medsegan: error:"
        self.note(f"\033[1;31m{mark}\033[0m {text}" if is_colourful() else f"{mark} {text}")

    def failures(self, failures: Sequence[tuple[str, str]]) -> None:
        """Write the table of the cases that failed to stderr: which one, and why."""
        rows = [(case, " ".join(reason.split())) for case, reason in failures]
        self.note(format_table(("failed", "because"), rows, n_text_columns=2))

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A listener for as long as the work goes on: bars on a terminal, else a line every few per cent."""
        listener = self._listener()
        try:
            yield listener
        finally:
            listener.finish()

    def _listener(self) -> Progress:
        if self.is_json:
            from .lines import NotesOnly

            return NotesOnly(self.note)
        if is_terminal():
            from .bars import Bars

            return Bars(self.note, self._said.add)
        from .lines import Lines

        return Lines(self.note)


def is_terminal() -> bool:
    """Whether a person watches stderr on a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"


def is_colourful() -> bool:
    """Whether stderr may be coloured; NO_COLOR (no-color.org), set to anything, says no."""
    return is_terminal() and not os.environ.get("NO_COLOR")
