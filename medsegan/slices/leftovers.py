"""What processes that died while they wrote a store left beside it."""

import os
import shutil
from pathlib import Path

OWNER_FILE = ".owner"


def working_name(folder: Path, kind: str) -> Path:
    """Where this process keeps a folder of some kind, such as "partial", beside the one that it shall become."""
    return folder.with_name(f"{folder.name}.{kind}-{os.getpid()}")


def mark_owner(folder: Path) -> None:
    """Note in a working folder which process it is of, since numbers of processes are used again.

    Raises:
        OSError: it cannot be written.
    """
    born = _birth(os.getpid())
    if born is not None:
        (folder / OWNER_FILE).write_text(born)


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
            if is_own or not _is_running(int(number)) or _is_of_another(path, int(number)):
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


def _is_of_another(folder: Path, process: int) -> bool:
    """Whether a running process only has the number of the one that the folder is of."""
    try:
        owner = (folder / OWNER_FILE).read_text()
    except OSError:
        return False
    return owner != _birth(process)


def _birth(process: int) -> str | None:
    """When a process began, in ticks since the machine did; None where the system does not tell."""
    try:
        # Behind the name, which may hold anything (man 5 proc, field 22 of stat).
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
