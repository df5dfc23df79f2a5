"""What was found in a series a moment ago: it is looked at before it is read, and parsed once for both."""

import os
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

_Found = TypeVar("_Found")
_SETTLED_NS = 2_000_000_000
"""A file that was written less than this before could be written again without its times showing it."""


@dataclass(frozen=True)
class _Stamped:
    question: Hashable
    stamps: tuple[tuple[int, ...], ...]


class Recent(Generic[_Found]):
    """The last answer to a question about files, given again as long as the files are the same."""

    def __init__(self) -> None:
        self._known: tuple[_Stamped, _Found] | None = None

    def recall(self, question: Hashable, files: Sequence[Path], answer: Callable[[], _Found]) -> _Found:
        """The answer, worked out unless it was just given.

        Args:
            question: what is asked.
            files: all that the answer depends on besides.
            answer: works it out; what it raises is not kept.
        """
        stamped = _stamped(question, files)
        if stamped is not None and self._known is not None and self._known[0] == stamped:
            return self._known[1]
        found = answer()
        if stamped is not None and stamped == _stamped(question, files):
            self._known = (stamped, found)
        return found


def _stamped(question: Hashable, files: Sequence[Path]) -> _Stamped | None:
    """The question with what changes in a file when it is written; `None` where that is not to be relied on."""
    try:
        found = [os.stat(file) for file in files]
    except OSError:
        return None
    latest = max((max(one.st_mtime_ns, one.st_ctime_ns) for one in found), default=0)
    if time.time_ns() - latest < _SETTLED_NS:
        return None
    stamps = tuple([(one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for one in found])
    return _Stamped(question, stamps)
