"""Processes that do the cases of a batch side by side; one that dies takes only its case with it."""

import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Self

from ... import errors
from ...errors import MedseganError

Document = dict[str, Any]
"""What goes to a process and comes back: only what JSON can hold."""
Work = Callable[[Document], Document]
"""A function at the top level of a module of medsegan, so that another process finds it by its name."""

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from medsegan.workflows.processes.crew_member import serve; serve()"
)
_THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)


class CaseLostError(MedseganError):
    """The process that worked on a case died; the message says of what."""


class Crew:
    """A context manager with some processes, started when they are needed and ended with the block.

    The processes are fresh interpreters that import medsegan alone, never the program that called it: neither a
    script without a `__main__` guard nor a notebook is run again in them. They hear no Ctrl-C and end, in the
    middle of whatever they do, as soon as the process that started them is no more.

    Args:
        n_workers: how many; with 1 all is done in this process.
        n_threads: what the compiled operators of each may use.
    """

    def __init__(self, n_workers: int, n_threads: int = 1) -> None:
        self.n_workers = n_workers
        self._n_threads = n_threads
        self._members: list[_Member | None] = [None] * n_workers
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def __enter__(self) -> Self:
        """The crew itself; no process is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        self.close()

    def close(self) -> None:
        """End all processes at once, whatever they do; afterwards none writes any more."""
        with self._lock:
            self._is_closed = True
            members = [member for member in self._members if member is not None]
        for member in members:
            member.kill()
        for thread in self._threads:
            thread.join()

    def run(self, work: Work, documents: Sequence[Document]) -> Iterator[tuple[int, Document | CaseLostError]]:
        """Number and answer of each document, in the order in which they are done.

        Args:
            work: what is done with each; what it raises ends the whole run.
            documents: one a case.

        Raises:
            MedseganError: what the work raised, or that no process can be started.
        """
        if self.n_workers == 1:
            yield from ((number, work(document)) for number, document in enumerate(documents))
            return
        tasks: queue.SimpleQueue[tuple[int, Document]] = queue.SimpleQueue()
        answers: queue.SimpleQueue[tuple[int, Document | CaseLostError | BaseException]] = queue.SimpleQueue()
        for task in enumerate(documents):
            tasks.put(task)
        name = f"{work.__module__}:{work.__qualname__}"
        for place in range(min(self.n_workers, len(documents))):
            thread = threading.Thread(target=self._serve, args=(place, name, tasks, answers), daemon=True)
            self._threads.append(thread)
            thread.start()
        for _ in documents:
            number, answer = answers.get()
            if isinstance(answer, CaseLostError) or not isinstance(answer, BaseException):
                yield number, answer
            else:
                raise answer

    def _serve(
        self,
        place: int,
        name: str,
        tasks: "queue.SimpleQueue[tuple[int, Document]]",
        answers: "queue.SimpleQueue[tuple[int, Document | CaseLostError | BaseException]]",
    ) -> None:
        """Hand tasks to one process until none is left, a task raised or the crew is closed."""
        while not self._is_closed:
            try:
                number, document = tasks.get_nowait()
            except queue.Empty:
                return
            try:
                answers.put((number, self._member(place).ask(name, document)))
            except CaseLostError as lost:
                self._members[place] = None
                answers.put((number, lost))
            except Exception as error:  # whatever it is, the main thread has to hear of it
                answers.put((number, error))
                return

    def _member(self, place: int) -> "_Member":
        with self._lock:
            if self._is_closed:
                raise CaseLostError("the work was ended")
            member = self._members[place]
            if member is None:
                member = self._members[place] = _Member(self._n_threads)
            return member


class _Member:
    """One process, seen from the one that started it."""

    def __init__(self, n_threads: int) -> None:
        # A fresh process gets its limits at birth, before any library counts the processors.
        limits = {name: str(_at_most(n_threads, os.environ.get(name, ""))) for name in _THREAD_LIMITS}
        self._noise: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._noise,
            env={**os.environ, **limits},
            **_APART,
        )
        self._is_ready = False

    def ask(self, name: str, document: Mapping[str, Any]) -> Document:
        """The answer to a task.

        Raises:
            CaseLostError: the process died.
            MedseganError: the work raised it, or the process could not begin.
        """
        if not self._is_ready and self._reply() is None:
            raise MedseganError(
                f"no further process can be started: {self._last_words()}; --workers 1 does without"
            )
        self._is_ready = True
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"work": name, "document": document}).encode() + b"\n")
            self._process.stdin.flush()
            reply = self._reply()
        except OSError:
            reply = None
        if reply is None:
            self.close()
            raise CaseLostError(_cause_of_death(self._process.returncode))
        if "raised" in reply:
            kind = getattr(errors, reply["raised"], None)
            raise (kind or RuntimeError)(reply["message"])
        answer: Document = reply["answer"]
        return answer

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Wait for the end of the process and close what led to it."""
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._noise):
            # What was still to be written goes nowhere.
            with suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _reply(self) -> Document | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def _last_words(self) -> str:
        code = self._process.wait()
        self._noise.seek(0)
        lines = self._noise.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"it ended with code {code}"


_APART: dict[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"process_group": 0}
)
"""Ctrl-C on a terminal goes to a whole group of processes; a crew is told by the one that started it."""


def _at_most(n_threads: int, wish: str) -> int:
    """The number of threads, unless the user wants fewer."""
    return min(n_threads, int(wish)) if wish.isdecimal() and int(wish) > 0 else n_threads


def _cause_of_death(code: int) -> str:
    if code >= 0:
        return f"the process that worked on it ended by itself with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGKILL":
        return (
            "the process that worked on it was killed (SIGKILL), most likely because memory ran out; "
            "use fewer --workers"
        )
    return f"the process that worked on it crashed ({name}), most likely in a decoder; the file may be damaged"


def find_work(name: str) -> Work:
    """The function of medsegan that a process is told to run, from `module:function`."""
    module, _, function = name.partition(":")
    work: Work = getattr(importlib.import_module(module), function)
    return work


def describe_failure(error: Exception) -> str:
    """Why a case failed: the message of an error that a user can mend, else with its kind in front."""
    if isinstance(error, MedseganError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this case; use fewer --workers"
    return f"{type(error).__name__}: {error}"
