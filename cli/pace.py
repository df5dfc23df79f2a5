"""How fast work goes and how long it will take."""

import time
from collections import deque
from collections.abc import Callable, Mapping

WINDOW_S = 60.0


class Pace:
    """The rate of a stage over the last minute.

    A resumed run begins far from zero; so the rate is taken between reports and never from zero to the first one.

    Args:
        total: units in the stage.
        clock: seconds that only grow.
    """

    def __init__(self, total: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.done = 0.0
        self._clock = clock
        self._reports: deque[tuple[float, float]] = deque()

    def record(self, done: float) -> None:
        """Take in that `done` units of the total are reached now."""
        now = self._clock()
        self.done = done
        self._reports.append((now, done))
        while len(self._reports) > 2 and now - self._reports[1][0] > WINDOW_S:
            self._reports.popleft()

    @property
    def per_second(self) -> float | None:
        """Units a second; None until two reports say so."""
        if len(self._reports) < 2:
            return None
        (first_s, first), (last_s, last) = self._reports[0], self._reports[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s and last > first else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the total is reached at this rate; None while the rate is unknown."""
        rate = self.per_second
        return max(self.total - self.done, 0.0) / rate if rate else None


def format_rate(per_second: float | None, unit: str) -> str:
    """A rate in words: "120 images/s", "1.3 cases/s", or "25 s each" for what is slow; empty if unknown."""
    if per_second is None:
        return ""
    if per_second < 0.5:
        return f"{1 / per_second:.0f} s each"
    return f"{per_second:.0f} {unit}/s" if per_second >= 10 else f"{per_second:.1f} {unit}/s"


def format_duration(seconds: float | None) -> str:
    """A duration as a clock shows it: "0:07", "12:30", "1:02:03"; empty if unknown."""
    if seconds is None:
        return ""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"


def format_figures(figures: Mapping[str, float] | None) -> str:
    """Losses and rates beside a bar: "critic 0.693  r1 0.0123"."""
    return "  ".join(f"{name} {value:.3g}" for name, value in (figures or {}).items())
