"""Libraries are not heard: what they warn of may hold names and values out of the headers of scans."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    for kept in _KEPT[-1:]:
        os.dup2(kept, _STDERR)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """The same for as long as a command runs, and for what libraries in C print past Python."""
    shown, level = warnings.showwarning, logging.root.manager.disable
    silence_libraries()
    try:
        with _stderr_for_python_alone():
            yield
    finally:
        warnings.showwarning = shown
        logging.disable(level)


_SHOWN = warnings.showwarning
_STDERR = 2
_KEPT: list[int] = []
"""Descriptors of the true stderr, while descriptor 2 leads nowhere; the last one counts."""


@contextmanager
def _stderr_for_python_alone() -> Iterator[None]:
    """Descriptor 2 leads nowhere, and `sys.stderr` to where it led.

    Decoders (MetaIO, libtiff, GDCM) print there, file names too. It belongs to the whole process, so that it is
    turned once for a whole command, not around each call, where threads would lose each other's lines.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # there is no stderr
        yield
        return
    ours = sys.stderr
    is_direct = False
    with suppress(OSError, ValueError, AttributeError):  # one in memory has no descriptor
        is_direct = ours.fileno() == _STDERR
    if is_direct:
        ours.flush()
        sys.stderr = open(  # noqa: SIM115 (closed below)
            kept, "w", buffering=1, encoding=ours.encoding, errors=ours.errors, closefd=False
        )
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDERR)
    os.close(nowhere)
    _KEPT.append(kept)
    try:
        yield
    finally:
        _KEPT.remove(kept)
        if is_direct:
            sys.stderr.close()
            sys.stderr = ours
        os.dup2(kept, _STDERR)
        os.close(kept)


def _show_nothing(*_: Any, **__: Any) -> None:
    pass
