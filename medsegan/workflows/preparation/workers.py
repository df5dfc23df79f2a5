"""How many cases are prepared side by side."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..datasets.discovery import FoundCase
from ..processes.capacity import available_memory, count_processors

_COMPRESSED = (".gz", ".zip", ".png", ".jpg", ".tif", ".tiff", ".nrrd", ".mha")
_MEMORY_PER_BYTE, _MEMORY_PER_COMPRESSED_BYTE = 4.0, 10.0
"""Memory for each byte of a scan's files: of 16 bits a voxel, or of about one where they are compressed."""
_MEMORY_OF_A_PROCESS = 200_000_000
_FILES_WORTH_A_PROCESS = 32_000_000
"""Bytes; with less to read a process takes longer to begin than it saves."""
_USED_SHARE = 0.8


@dataclass(frozen=True)
class WorkerChoice:
    """How many processes there will be.

    Args:
        n_workers: processes; 1 = all is done in this one.
        n_threads: what the compiled operators of each may use.
        notes: how that came about, where there was something to choose.
    """

    n_workers: int
    n_threads: int
    notes: tuple[str, ...] = ()


def choose_workers(asked: int | None, cases: Sequence[FoundCase]) -> WorkerChoice:
    """As many processes as there are processors, and fewer where the memory, or the work, is not enough for them.

    Args:
        asked: that many, whatever the machine has; None = to be found out.
        cases: the scans to prepare.
    """
    processors = count_processors()
    if asked is not None:
        n_workers = max(1, min(asked, len(cases)))
        return WorkerChoice(n_workers, max(1, processors // n_workers))
    sizes = [_file_bytes(case.image) for case in cases]
    footprint = max((_footprint(case.image, size) for case, size in zip(cases, sizes, strict=True)), default=0)
    memory = available_memory()
    by_memory = processors if memory is None else max(1, int(_USED_SHARE * memory / footprint))
    by_work = 1 + sum(sizes) // _FILES_WORTH_A_PROCESS
    n_workers = max(1, min(processors, by_memory, by_work, len(cases)))
    has = "" if memory is None else f" of {memory / 1e9:.1f} GB"
    note = (
        f"{n_workers} {'worker' if n_workers == 1 else 'workers'} ({processors} processors; the largest case "
        f"takes about {footprint / 1e9:.1f} GB{has}); --workers N changes that"
    )
    return WorkerChoice(n_workers, max(1, processors // n_workers), (note,) if by_work > 1 else ())


def _footprint(image: Path, size: int) -> float:
    """Memory that a case may take at its peak."""
    factor = _MEMORY_PER_COMPRESSED_BYTE if image.name.lower().endswith(_COMPRESSED) else _MEMORY_PER_BYTE
    return _MEMORY_OF_A_PROCESS + factor * size


def _file_bytes(image: Path) -> int:
    """Size of a file or of all files below a folder; what cannot be asked is not counted."""
    if not image.is_dir():
        return _size(image)
    return sum(_size(Path(folder, name)) for folder, _, names in os.walk(image) for name in names)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
