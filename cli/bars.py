"""Progress on a terminal: a bar with the rate, the time left and the losses."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from medsegan.progress import Progress

from .pace import Pace, format_duration, format_figures, format_rate

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Bars(Progress):
    """One bar a stage on stderr; notes appear above it.

    Args:
        write: takes one line while no bar is drawn.
        remember: hears of the notes that are written above a bar; None = nobody asks.
        console: where to draw; None = stderr. Colours follow NO_COLOR.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        remember: Callable[[str], None] | None = None,
        console: "RichConsole | None" = None,
    ) -> None:
        self._write = write
        self._remember = remember
        self._console = console
        self._bars: RichProgress | None = None
        self._task: TaskID | None = None
        self._pace = Pace(0)
        self._unit = ""

    def start(self, title: str, total: float, unit: str) -> None:
        """Begin a stage with an empty bar."""
        self.finish()
        self._pace, self._unit = Pace(total), unit
        self._bars = self._new_bars()
        self._task = self._bars.add_task(title, total=total or None, item="", **self._texts(None))
        self._bars.start()

    def update(self, done: float, figures: Mapping[str, float] | None = None) -> None:
        """Move the bar."""
        if self._bars is None or self._task is None:
            return
        self._pace.record(done)
        self._bars.update(self._task, completed=done, **self._texts(figures))

    def item(self, name: str) -> None:
        """Show beside the bar which one was done last."""
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, item=name)

    def finish(self) -> None:
        """Leave the bar as it stands and end the stage."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._task = None

    def note(self, text: str) -> None:
        """Write a note, above the bar if there is one."""
        if self._bars is None:
            self._write(text)
        else:
            if self._remember is not None:
                self._remember(text)
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _new_bars(self) -> "RichProgress":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        console = self._console or Console(stderr=True)
        columns = (
            "[bold]{task.description}",
            "{task.fields[count]}",
            "{task.fields[rate]}",
            "{task.fields[left]}",
        )
        title, count, rate, left = (TextColumn(text) for text in columns)
        figures = TextColumn("[dim]{task.fields[figures]}")
        item = TextColumn("[dim]{task.fields[item]}")
        return Progress(
            title, BarColumn(24), TaskProgressColumn(), count, rate, left, figures, item, console=console
        )

    def _texts(self, figures: Mapping[str, float] | None) -> dict[str, Any]:
        left = format_duration(self._pace.seconds_left)
        return {
            "count": f"{self._pace.done:,.0f}/{self._pace.total:,.0f} {self._unit}",
            "rate": format_rate(self._pace.per_second, self._unit),
            "left": f"{left} left" if left else "",
            "figures": format_figures(figures),
        }
