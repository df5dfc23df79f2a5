"""The inner side of a process of a crew: hears tasks on stdin, answers on stdout."""

import json
import os
import queue
import signal
import sys
import threading
from typing import IO, Any

from ... import errors
from .crew import find_work


def serve() -> None:
    """Do tasks until stdin ends, and then end at once, even in the middle of one: nobody waits for it."""
    # What a decoder prints must not get among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    _say(answers, {"ready": True})
    while True:
        task = json.loads(tasks.get())
        try:
            reply: dict[str, Any] = {"answer": find_work(task["work"])(task["document"])}
        except Exception as error:  # the other side raises it again
            kind = type(error).__name__
            is_known = getattr(errors, kind, None) is type(error)
            reply = {"raised": kind, "message": str(error) if is_known else f"{kind}: {error}"}
        _say(answers, reply)


def _listen(requests: IO[bytes], tasks: "queue.SimpleQueue[bytes]") -> None:
    for line in requests:
        tasks.put(line)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(answers: IO[bytes], reply: dict[str, Any]) -> None:
    answers.write(json.dumps(reply).encode() + b"\n")
    answers.flush()
