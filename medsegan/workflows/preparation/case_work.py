"""What a process does with one case: compare it with what is there already, or prepare and write it."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ...errors import InputError
from ...imaging import content_hash
from ...slices import read_case, write_case
from ..datasets.discovery import FoundCase
from ..processes.crew import Document, describe_failure
from .case import CaseSettings, prepare_case
from .look import case_from_json

_CLOCK_STEP_NS = 10_000_000
"""Times of files may lag behind by as much."""


def compare_case(document: Document) -> Document:
    """Whether a case is what it was when its files were written: the content of its sources, and the files.

    Args:
        document: the "case", and "folder" and "case_id" of what is there.
    """
    case = case_from_json(document["case"])
    stored = read_case(Path(document["folder"]), document["case_id"])
    try:
        hashes = hash_sources(case.image, case.label)
    except InputError:
        return {"is_unchanged": False}
    is_same = stored is not None and stored.origin.get("sources") == hashes and stored.is_intact
    return {"is_unchanged": is_same}


def make_case(document: Document) -> Document:
    """Why the case cannot be prepared; or nothing, and its files are written.

    Args:
        document: the "case", its "settings", the "folder" to write to, and the "origin" to note beside the files,
            to which hashes of the sources are added.

    Raises:
        InputError: the files cannot be written, and so no other case's could be.
    """
    case, settings = case_from_json(document["case"]), CaseSettings.from_json(document["settings"])
    try:
        began = time.time_ns()
        # Beside the preparation, which leaves a processor free at times, and while the files are in memory.
        with ThreadPoolExecutor(max_workers=1) as hashing:
            hashes = hashing.submit(hash_sources, case.image, case.label)
            prepared = prepare_case(case, settings)
            sources = hashes.result()
        if not _is_settled(case, began):
            sources = {}  # whether these are the files that were read is not to be told: the case is made again
        origin = {**document["origin"], "sources": sources}
    except Exception as error:  # one bad scan, whatever is wrong with it, must not end a batch
        return {"failure": describe_failure(error)}
    write_case(Path(document["folder"]), prepared.record, prepared.images, prepared.labels, origin)
    return {}


def _is_settled(case: FoundCase, began_ns: int) -> bool:
    """Whether no file of a case was written since it was begun to be read."""
    files = [file for path in (case.image, case.label) if path is not None for file in _files_of(path)]
    latest = max((max(found.st_mtime_ns, found.st_ctime_ns) for found in map(os.stat, files)), default=0)
    return latest < began_ns - _CLOCK_STEP_NS


def _files_of(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def hash_sources(image: Path, label: Path | None) -> Document:
    """The hashes of what a case is made from.

    Raises:
        InputError: a file is not there or cannot be read.
    """
    return {"image": content_hash(image), "label": None if label is None else content_hash(label)}
