"""What processes that died while they wrote a store left beside it."""

import os
import shutil
from pathlib import Path


def working_name(folder: Path, kind: str) -> Path:
    """Where this process keeps a folder of some kind, such as "partial", beside the one that it shall become."""
    return folder.with_name(f"{folder.name}.{kind}-{os.getpid()}")


def find_leftovers(folder: Path, kind: str) -> list[Path]:
    """The working folders of processes that are no more, the newest first; those of running ones do not count.

    One with the number of this process counts, since numbers are used again: ask before making one.

    Args:
        folder: the folder beside which they lie; it need not exist, nor the one above it.
        kind: as in `working_name`.
    """
    start = f"{folder.name}.{kind}-"
    if os.name != "posix" or not folder.parent.is_dir():
        return []  # elsewhere a process cannot be asked for without ending it
    found = []
    for path in folder.parent.iterdir():
        number = path.name.removeprefix(start)
        if path.name.startswith(start) and number.isdecimal():
            is_own = int(number) == os.getpid()
            if is_own or not _is_running(int(number)):
                found.append(path)
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def sweep_leftovers(folder: Path, kind: str) -> None:
    """Remove the working folders of processes that are no more; those of running ones and of this one stay.

    Args:
        folder: the folder beside which they lie; it need not exist, nor the one above it.
        kind: as in `working_name`.
    """
    for path in find_leftovers(folder, kind):
        if path != working_name(folder, kind):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
