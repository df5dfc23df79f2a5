"""Work for the processes of a crew, good and bad; each is found there by its name."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from medsegan.errors import DataError


def double(document: dict[str, Any]) -> dict[str, Any]:
    """Twice the number, from a process that also talks while it works."""
    print("a decoder says hello", flush=True)
    os.write(1, b"and so does a library below Python\n")
    return {"double": 2 * document["number"], "process": os.getpid()}


def die_at_three(document: dict[str, Any]) -> dict[str, Any]:
    """The number, but the process that meets the 3 is killed, as by the kernel when memory runs out."""
    if document["number"] == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return document


def crash_at_three(document: dict[str, Any]) -> dict[str, Any]:
    """The number, but at the 3 a decoder has a fault."""
    if document["number"] == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return document


def refuse_three(document: dict[str, Any]) -> dict[str, Any]:
    """The number, but the 3 ends the run."""
    if document["number"] == 3:
        raise DataError("three is one too many")
    if document["number"] == 4:
        raise ZeroDivisionError("four is two too many")
    return document


def tell_threads(_: dict[str, Any]) -> dict[str, Any]:
    """What the compiled operators may use."""
    from medsegan.voxels.library import default_threads  # here: most processes of the tests need none of it

    return {"threads": default_threads(), "wish": os.environ["OMP_NUM_THREADS"]}


def sleep(document: dict[str, Any]) -> dict[str, Any]:
    """Nothing, after long; a file says which process it is."""
    Path(document["folder"], str(os.getpid())).touch()
    time.sleep(60)
    return {}


def is_running(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(condition: Any, seconds: float = 20.0) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def make_or_die(document: dict[str, Any]) -> dict[str, Any]:
    """A case of `prepare`, but the process that meets the second one is killed."""
    from medsegan.workflows.preparation.case_work import make_case

    if document["case"]["stem"].endswith("_2"):
        os.kill(os.getpid(), signal.SIGKILL)
    return make_case(document)
