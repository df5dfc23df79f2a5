"""What this machine, or the container on it, has to offer: processors and memory."""

import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MEMORY_INFO = Path("/proc/meminfo")


def count_processors(cgroups: Path = _CGROUPS) -> int:
    """The processors that this process may use: by its affinity, and by the quota of its container.

    Args:
        cgroups: where Linux tells of quotas.
    """
    try:
        granted = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux tells
        granted = os.cpu_count() or 1
    quota = _quota(cgroups)
    return granted if quota is None else max(1, min(granted, round(quota)))


def available_memory(cgroups: Path = _CGROUPS, memory_info: Path = _MEMORY_INFO) -> int | None:
    """Bytes of memory that could still be taken, by the machine and by the container; None where nothing tells.

    Args:
        cgroups: where Linux tells of quotas.
        memory_info: where it tells of the machine.
    """
    asked = (_free_of_machine(memory_info), _free_of_container(cgroups))
    return min((amount for amount in asked if amount is not None), default=None)


def _quota(cgroups: Path) -> float | None:
    """Processors by quota: cpu.max of cgroups 2 holds "quota period", cgroups 1 has a file for each."""
    words = (_text(cgroups / "cpu.max") or "").split()
    if len(words) != 2:
        words = [_text(cgroups / "cpu" / f"cpu.cfs_{name}_us") or "" for name in ("quota", "period")]
    if not all(word.isdecimal() for word in words) or float(words[1]) == 0:
        return None  # "max", or -1: no limit
    return float(words[0]) / float(words[1])


def _free_of_container(cgroups: Path) -> int | None:
    for limit_file, usage_file, cache_key in (
        (cgroups / "memory.max", cgroups / "memory.current", "inactive_file"),
        (
            cgroups / "memory" / "memory.limit_in_bytes",
            cgroups / "memory" / "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    ):
        limit, usage = _text(limit_file), _text(usage_file)
        if limit is not None and usage is not None and limit.isdecimal() and usage.isdecimal():
            # Pages of files that nobody uses are counted as used, but given up at need.
            cache = _value(_text(limit_file.parent / "memory.stat") or "", cache_key)
            return max(0, int(limit) - int(usage) + (cache or 0))
    return None


def _free_of_machine(memory_info: Path) -> int | None:
    kilobytes = _value(_text(memory_info) or "", "MemAvailable:")
    return None if kilobytes is None else kilobytes * 1024


def _value(text: str, key: str) -> int | None:
    rows = (line.split() for line in text.splitlines())
    return next((int(row[1]) for row in rows if len(row) > 1 and row[0] == key), None)


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
