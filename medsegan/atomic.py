"""Files that are either whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_file(path: Path, suffix: str = "") -> Iterator[Path]:
    """Where to write a file that takes its place at `path` when the block ends without an error, and only then.

    Args:
        path: the file; its folder must be there, and a file that is there stays until the new one is complete.
        suffix: the end of the name that the unfinished file must share, for writers that go by it; "" = none.

    Raises:
        OSError: the file cannot be put in its place.
    """
    stem, end = (path.name[: -len(suffix)], path.name[-len(suffix) :]) if suffix else (path.name, "")
    partial = path.with_name(f".{stem}.partial-{os.getpid()}{end.lower()}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
