"""The files of one case in a slice store: its arrays, and its record beside them, which is written last."""

import hashlib
import os
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, InputError
from ..shapes import Array, LabelArray
from .document import read_document, write_document
from .manifest import CaseRecord

IMAGES, LABELS, RECORDS = "images", "labels", "records"
CASE_VERSION = 1


@dataclass(frozen=True, eq=False)
class StoredCase:
    """A case whose files are complete.

    Args:
        folder: of the store, or of what is to become one.
        record: of the case.
        origin: what it was made from and how, as the one who made it wrote it down; empty if he did not.
        digests: kind of array -> SHA-256 of its file.
    """

    folder: Path
    record: CaseRecord
    origin: dict[str, Any]
    digests: dict[str, str]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files below the folder, the record last."""
        arrays = (array_path(kind, self.record.case_id) for kind in self.digests)
        return (*arrays, record_path(self.record.case_id))

    @property
    def is_intact(self) -> bool:
        """Whether the arrays are to the last bit what was written."""
        try:
            return all(
                _digest(self.folder / array_path(kind, self.record.case_id)) == digest
                for kind, digest in self.digests.items()
            )
        except OSError:
            return False


def array_path(kind: str, case_id: str) -> Path:
    """Where an array lies in a store; the kind is `IMAGES` or `LABELS`."""
    return Path(kind, f"{case_id}.npy")


def record_path(case_id: str) -> Path:
    """Where the record of a case lies in a store."""
    return Path(RECORDS, f"{case_id}.json")


def make_folders(folder: Path) -> None:
    """Make what the files of cases lie in; folders that are there stay as they are."""
    for name in (IMAGES, LABELS, RECORDS):
        (folder / name).mkdir(parents=True, exist_ok=True)


def write_case(
    folder: Path, record: CaseRecord, images: Array, labels: LabelArray | None, origin: Mapping[str, Any]
) -> None:
    """Write the files of a case; if that fails, or is killed, there is no record and so no case.

    Args:
        folder: of the store.
        record: the case.
        images: (S, H, W) int16 in stored units.
        labels: (S, H, W) uint8 class indices; `None` exactly when the record says so.
        origin: what it was made from and how, without patient data.

    Raises:
        DataError: arrays and record do not fit each other.
        InputError: the files cannot be written, as on a full disk.
    """
    _require_fitting(record, images, labels)
    arrays = {IMAGES: images} if labels is None else {IMAGES: images, LABELS: labels}
    path = folder
    try:
        digests = {}
        for kind, array in arrays.items():
            path = folder / array_path(kind, record.case_id)
            digests[kind] = _write_array(array, path)
        path = folder / record_path(record.case_id)
        document = {
            "version": CASE_VERSION,
            "record": record.to_json(),
            "origin": dict(origin),
            "digests": digests,
        }
        unfinished = unfinished_name(path)
        write_document(document, unfinished)
        os.replace(unfinished, path)
    except BaseException as error:
        remove_case(folder, record.case_id)
        if isinstance(error, OSError):
            raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
        raise


def read_case(folder: Path, case_id: str) -> StoredCase | None:
    """The case of that id in a store; `None` if its files are not there or not of this version."""
    try:
        document = read_document(folder / record_path(case_id))
        if document.get("version") != CASE_VERSION:
            return None
        record = CaseRecord.from_json(document["record"])
        case = StoredCase(folder, record, dict(document["origin"]), dict(document["digests"]))
    except (InputError, DataError, KeyError, TypeError, ValueError, AttributeError):
        return None
    is_complete = record.case_id == case_id and all((folder / path).is_file() for path in case.paths)
    return case if is_complete else None


def take_case(case: StoredCase, folder: Path) -> None:
    """Give another store the files of a case: the same ones under a second name, or copies where that cannot be.

    Args:
        case: complete.
        folder: of the other store.

    Raises:
        InputError: the files cannot be written.
    """
    for path in case.paths:
        target = folder / path
        try:
            target.unlink(missing_ok=True)
            try:
                os.link(case.folder / path, target)
            except OSError:  # another disk, or one without links
                shutil.copy2(case.folder / path, target)
        except OSError as error:
            remove_case(folder, case.record.case_id)
            raise InputError(f"{target} cannot be written: {error.strerror or error}") from error


def remove_case(folder: Path, case_id: str) -> None:
    """Remove the files of a case, finished or not, the record first."""
    for path in (record_path(case_id), array_path(IMAGES, case_id), array_path(LABELS, case_id)):
        for name in (folder / path, unfinished_name(folder / path)):
            with suppress(OSError):
                name.unlink(missing_ok=True)


def remove_unfinished_files(folder: Path) -> None:
    """Remove what was being written when its process ended."""
    for name in (IMAGES, LABELS, RECORDS):
        for path in (folder / name).glob(".*"):
            path.unlink(missing_ok=True)


def keep_only(folder: Path, case_ids: Collection[str]) -> None:
    """Remove the files of all other cases, and what is unfinished."""
    for name in (RECORDS, IMAGES, LABELS):
        for path in (folder / name).iterdir():
            if path.stem not in case_ids or path.name.startswith("."):
                path.unlink(missing_ok=True)


def unfinished_name(path: Path) -> Path:
    """What a file is called while it is written."""
    return path.with_name(f".{path.name}.unfinished")


def _write_array(array: Array, path: Path) -> str:
    """Write an array under another name first; returns the SHA-256 of its file."""
    unfinished = unfinished_name(path)
    with unfinished.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    digest = _digest(unfinished)
    os.replace(unfinished, path)
    return digest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_fitting(record: CaseRecord, images: Array, labels: LabelArray | None) -> None:
    expected = record.frame.stack_shape
    if images.dtype != np.int16 or images.shape != expected:
        raise DataError(
            f"case {record.case_id}: images must be int16 of shape {expected}, got {images.dtype} {images.shape}"
        )
    if (labels is not None) != record.has_label:
        raise DataError(f"case {record.case_id}: the record says has_label={record.has_label}, the arrays do not")
    if labels is not None and (labels.dtype != np.uint8 or labels.shape != expected):
        raise DataError(
            f"case {record.case_id}: labels must be uint8 of shape {expected}, got {labels.dtype} {labels.shape}"
        )
