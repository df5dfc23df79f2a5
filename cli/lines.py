"""Progress where nobody watches: one line every few per cent, fit for a log file."""

import time
from collections.abc import Callable, Mapping

from medsegan.progress import Progress

from .pace import Pace, format_duration, format_figures, format_rate

STEP = 0.05


class NotesOnly(Progress):
    """Passes notes on and draws nothing, as --json wants it."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def note(self, text: str) -> None:
        """Write the note."""
        self._write(text)


class Lines(NotesOnly):
    """One line at each twentieth of the way, and one at the end.

    Args:
        write: takes one line.
        clock: seconds that only grow.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(write)
        self._clock = clock
        self._title = self._unit = ""
        self._pace: Pace | None = None
        self._last_step = 0
        self._item = ""

    def start(self, title: str, total: float, unit: str) -> None:
        """Begin a stage and say how long it is."""
        self._title, self._unit, self._item = title, unit, ""
        self._pace, self._last_step = Pace(total, self._clock), 0
        self._write(f"{title}: {total:,.0f} {unit}")

    def update(self, done: float, figures: Mapping[str, float] | None = None) -> None:
        """Write a line if another twentieth is done since the last one."""
        if self._pace is None:
            return
        self._pace.record(done)
        fraction = done / self._pace.total if self._pace.total > 0 else 1.0
        step = int(fraction / STEP + 1e-9)
        if step > self._last_step:
            self._last_step = step
            self._write(self._line(fraction, figures))

    def item(self, name: str) -> None:
        """Remember it for the next line."""
        self._item = name

    def finish(self) -> None:
        """End the stage."""
        self._pace = None

    def _line(self, fraction: float, figures: Mapping[str, float] | None) -> str:
        pace = self._pace
        assert pace is not None
        left = format_duration(pace.seconds_left)
        parts = (
            f"{self._title}: {100 * fraction:3.0f} %",
            f"{pace.done:,.0f} of {pace.total:,.0f} {self._unit}",
            format_rate(pace.per_second, self._unit),
            f"{left} left" if left and fraction < 1 else "",
            format_figures(figures),
            f"last {self._item}" if self._item else "",
        )
        return "  ".join(part for part in parts if part)
