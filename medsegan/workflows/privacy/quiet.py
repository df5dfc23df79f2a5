"""Libraries are not heard: what they warn of may hold names and values out of the headers of scans."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def silence_libraries() -> None:
    """Keep warnings and logs of libraries from stderr, in this process, such as a worker, to its end.

    Whether a warning is an error is left as it is; only the showing ends.
    """
    warnings.showwarning = _show_nothing
    logging.disable(logging.CRITICAL)


def hear_libraries() -> None:
    """Undo `silence_libraries`."""
    warnings.showwarning = _SHOWN
    logging.disable(logging.NOTSET)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """The same for as long as a command runs."""
    shown, level = warnings.showwarning, logging.root.manager.disable
    silence_libraries()
    try:
        yield
    finally:
        warnings.showwarning = shown
        logging.disable(level)


_SHOWN = warnings.showwarning


def _show_nothing(*_: Any, **__: Any) -> None:
    pass
