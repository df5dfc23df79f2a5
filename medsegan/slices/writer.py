"""The slices of a domain on disk, as they are written: whole or not at all."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from ..errors import DataError, InputError, UsageError
from ..shapes import Array, LabelArray
from .document import write_document
from .leftovers import sweep_leftovers, working_name
from .manifest import CaseRecord, Manifest
from .split import Split
from .store import MANIFEST_FILE, SPLITS_FILE, STORE_VERSION, SliceStore


class StoreWriter:
    """Writes a slice store under a temporary name beside its folder, and renames it when it is complete.

    A context manager: if the block is left before `finish`, by an error or not, nothing of the new store stays,
    not even folders made above it, and an old one is untouched. What a killed process left of an earlier attempt
    is removed.

    Args:
        folder: where the store shall be.
        overwrite: whether a store that is there already is replaced.
    """

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        self.folder = folder
        self._overwrite = overwrite
        self._partial = working_name(folder, "partial")
        self._made = [parent for parent in folder.parents if not parent.exists()]
        self._records: list[CaseRecord] = []

    def __enter__(self) -> Self:
        """The writer, with its temporary folder made.

        Raises:
            UsageError: there is a store already and it is not to be replaced.
            InputError: the folder cannot be made.
        """
        if self.folder.exists() and not self._overwrite:
            raise UsageError(f"{self.folder} exists already; use --overwrite to replace it")
        sweep_leftovers(self.folder, "partial")
        try:
            with _writing(self._partial):
                if self._partial.exists():
                    shutil.rmtree(self._partial)
                (self._partial / "images").mkdir(parents=True)
                (self._partial / "labels").mkdir()
        except InputError:
            self._remove_unfinished()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is unfinished."""
        self._remove_unfinished()

    def _remove_unfinished(self) -> None:
        shutil.rmtree(self._partial, ignore_errors=True)
        with suppress(OSError):  # one that holds something, such as the finished store, stays
            for folder in self._made:
                folder.rmdir()

    def add(self, record: CaseRecord, images: Array, labels: LabelArray | None) -> None:
        """Write the arrays of a case; if that fails, the store is as if the case had not been added.

        Args:
            record: the case.
            images: (S, H, W) int16 in stored units.
            labels: (S, H, W) uint8 class indices; `None` exactly when the record says so.

        Raises:
            DataError: arrays and record do not fit each other, or the case is there already.
            InputError: the arrays cannot be written, as on a full disk.
        """
        _require_fitting(record, images, labels)
        if any(record.case_id == other.case_id for other in self._records):
            raise DataError(f"case {record.case_id} was added already; two scans of a domain need two names")
        files = {"images": images} if labels is None else {"images": images, "labels": labels}
        paths = [self._partial / kind / f"{record.case_id}.npy" for kind in files]
        try:
            for path, array in zip(paths, files.values(), strict=True):
                with _writing(path):
                    np.save(path, np.ascontiguousarray(array), allow_pickle=False)
        except BaseException:
            for path in paths:
                path.unlink(missing_ok=True)
            raise
        self._records.append(record)

    def finish(self, manifest: Manifest, splits: Mapping[str, Split], seed: int) -> SliceStore:
        """The finished store, in its place.

        Args:
            manifest: what the store is; its cases are replaced by those that were added.
            splits: the split of each patient id.
            seed: the seed it was drawn with.

        Raises:
            DataError: no case was added, a size or class does not fit the manifest, or a patient has no split.
            InputError: the store cannot be written.
        """
        complete = replace(manifest, cases=tuple(self._records))
        if not self._records:
            raise DataError(f"no case was added to {self.folder}; a store needs at least one")
        for record in self._records:
            if (
                record.frame.stack_shape[1:] != (manifest.size, manifest.size)
                or record.frame.plane != manifest.plane
            ):
                raise DataError(
                    f"case {record.case_id} was cut {record.frame.plane} to {record.frame.stack_shape[1:]}, "
                    f"the store is {manifest.plane} of size {manifest.size}"
                )
        used = sorted({record.patient_id for record in self._records})
        missing = [patient for patient in used if patient not in splits]
        if missing:
            raise DataError(f"{len(missing)} patients have no split, the first is {missing[0]}")
        with _writing(self.folder):
            write_document(complete.to_json(), self._partial / MANIFEST_FILE)
            _write_versioned({"seed": seed, "patients": {p: splits[p] for p in used}}, self._partial / SPLITS_FILE)
            SliceStore.open(self._partial)
            self._put_in_place()
        # Only now: until the new store is in its place, such a folder may hold the only one there is.
        sweep_leftovers(self.folder, "old")
        return SliceStore.open(self.folder)

    def _put_in_place(self) -> None:
        old = working_name(self.folder, "old")
        replaces = self.folder.exists()
        if replaces:
            os.replace(self.folder, old)
        try:
            os.replace(self._partial, self.folder)
        except OSError:
            if replaces:
                os.replace(old, self.folder)
            raise
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say of what cannot be written where it was to go."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


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


def _write_versioned(document: Mapping[str, Any], path: Path) -> None:
    write_document({"version": STORE_VERSION, **document}, path)
