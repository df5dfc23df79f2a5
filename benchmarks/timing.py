"""Ours against named rivals, in one run: medians of alternating repetitions."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Args:
        name: operator and what it works on.
        ours: does the work once.
        rivals: the same work by others, by name.
        bars: by name of a rival, how many times faster ours must be; rivals without a bar are only shown.
        repeats: how often each is run; slow rivals need few.
        note: such as a bandwidth, made from our median in seconds.
    """

    name: str
    ours: Callable[[], object]
    rivals: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    bars: Mapping[str, float] = field(default_factory=dict)
    repeats: int = 7
    note: Callable[[float], str] | None = None


def measure(case: Case, finish: Callable[[], object] = lambda: None) -> dict[str, float]:
    """Median seconds of "ours" and of every rival; `finish` waits for what runs on a device."""
    contestants = {"ours": case.ours, **case.rivals}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for work in contestants.values():
        work()
        finish()
    for _ in range(case.repeats):
        for name, work in contestants.items():
            start = time.perf_counter()
            work()
            finish()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def as_rows(case: Case, seconds: Mapping[str, float]) -> Iterable[str]:
    """Markdown rows `| case | ours | rival | its time | ratio | bar |`."""
    ours = seconds["ours"]
    note = f" ({case.note(ours)})" if case.note else ""
    if not case.rivals:
        yield f"| {case.name} | {_milliseconds(ours)}{note} | | | | |"
    for rival in case.rivals:
        ratio = seconds[rival] / ours
        bar = case.bars.get(rival)
        verdict = "" if bar is None else f"{bar:g}x {'met' if ratio >= bar else 'MISSED'}"
        times = (_milliseconds(ours) + note, rival, _milliseconds(seconds[rival]))
        yield "| " + " | ".join((case.name, *times, f"{ratio:.1f}x", verdict)) + " |"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"
