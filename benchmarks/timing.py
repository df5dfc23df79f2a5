"""Ours against named rivals, in one run: medians of alternating repetitions."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch

Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Args:
        name: operator and what it works on.
        ours: does the work once.
        rivals: the same work by others, by name.
        bars: by name of a rival, how many times faster ours must be; rivals without a bar are only shown.
        repeats: how often each is run; slow rivals need few.
        moved_bytes: the fewest bytes that must be read and written; None = not bound by memory.
        note: what else was found of ours, such as its memory.
    """

    name: str
    ours: Work
    rivals: Mapping[str, Work] = field(default_factory=dict)
    bars: Mapping[str, float] = field(default_factory=dict)
    repeats: int = 7
    moved_bytes: int | None = None
    note: str = ""


def compiled(
    device: str, step: Callable[[Callable[..., object]], object], plain: Callable[..., object]
) -> dict[str, Work]:
    """The plain form through torch.compile as one more rival, on a GPU; on a CPU none."""
    if device == "cpu":
        return {}
    faster = torch.compile(plain)
    return {"torch.compile": lambda: step(faster)}


def measure(case: Case, device: str) -> dict[str, float]:
    """Median seconds of "ours" and of every rival, taking turns after one unmeasured round."""
    contestants = {"ours": case.ours, **case.rivals}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for work in contestants.values():
        _seconds(work, device)
    for _ in range(case.repeats):
        for name, work in contestants.items():
            times[name].append(_seconds(work, device))
    return {name: statistics.median(values) for name, values in times.items()}


def copy_bandwidth(device: str) -> float:
    """Bytes per second, read and written, of a large copy on the device."""
    source = torch.rand(64 << 20, device=device)
    target = torch.empty_like(source)
    seconds = measure(Case("copy", lambda: target.copy_(source), repeats=11), device)["ours"]
    return 2 * source.numel() * source.element_size() / seconds


def as_rows(case: Case, seconds: Mapping[str, float], bandwidth: float) -> Iterator[str]:
    """Markdown rows `| case | ours | rival | its time | ratio | bar |`.

    Args:
        case: what was timed.
        seconds: from `measure`.
        bandwidth: from `copy_bandwidth`; cases that are bound by memory are shown as a part of it.
    """
    ours = _milliseconds(seconds["ours"])
    if case.moved_bytes is not None:
        ours += f" ({case.moved_bytes / seconds['ours'] / bandwidth:.0%} of copy)"
    ours += f", {case.note}" if case.note else ""
    if not case.rivals:
        yield f"| {case.name} | {ours} | | | | |"
    for rival in case.rivals:
        ratio = seconds[rival] / seconds["ours"]
        bar = case.bars.get(rival)
        verdict = "" if bar is None else f"{bar:g}x {'met' if ratio >= bar else 'MISSED'}"
        yield f"| {case.name} | {ours} | {rival} | {_milliseconds(seconds[rival])} | {ratio:.1f}x | {verdict} |"


def _seconds(work: Work, device: str) -> float:
    began = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"
