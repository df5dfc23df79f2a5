"""The slices of a domain on disk, as they are written: whole or not at all."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import DataError, InputError, UsageError
from ..shapes import Array, LabelArray
from .case_files import (
    RECORDS,
    StoredCase,
    keep_only,
    make_folders,
    read_case,
    remove_unfinished_files,
    take_case,
    write_case,
)
from .document import write_document
from .leftovers import OWNER_FILE, mark_owner, sweep_leftovers, working_name
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
        taken: cases of that store, or of what is left of an earlier attempt, that the new one has as they are.
        keep: whether cases that are done stay for a later attempt to take, if the block is left by an error.
    """

    def __init__(
        self, folder: Path, overwrite: bool = False, *, taken: Sequence[StoredCase] = (), keep: bool = False
    ) -> None:
        self.folder = folder
        self.place = working_name(folder, "partial")
        self._overwrite = overwrite
        self._taken = taken
        self._keep = keep
        self._made = [parent for parent in folder.parents if not parent.exists()]
        self._records: list[CaseRecord] = []

    def __enter__(self) -> Self:
        """The writer, with its temporary folder `place` made; the cases that are taken over lie in it.

        Raises:
            UsageError: there is a store already and it is not to be replaced.
            InputError: the folder cannot be made.
        """
        self._require_free()
        try:
            with _writing(self.place):
                self._clear()
                make_folders(self.place)
                mark_owner(self.place)
            for case in self._taken:
                if case.folder != self.place:
                    take_case(case, self.place)
        except InputError:
            self._remove_unfinished()
            raise
        sweep_leftovers(self.folder, "partial")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is unfinished."""
        if kind is not None and self._keep and self.n_done:
            remove_unfinished_files(self.place)
        else:
            self._remove_unfinished()

    @property
    def n_done(self) -> int:
        """Number of cases whose files are complete in `place`."""
        return len(list((self.place / RECORDS).glob("[!.]*.json")))

    def _clear(self) -> None:
        """Remove what a dead process of the same number left, apart from what is taken of it."""
        if any(case.folder == self.place for case in self._taken):
            keep_only(self.place, {case.record.case_id for case in self._taken if case.folder == self.place})
        elif self.place.exists():
            shutil.rmtree(self.place)

    def _remove_unfinished(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)
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
        self._require_new(record.case_id)
        write_case(self.place, record, images, labels, {})
        self.include(record.case_id)

    def include(self, case_id: str) -> CaseRecord:
        """The record of a case that is now part of the store; its files lie in `place` already.

        Args:
            case_id: of a case that was taken over, or that `write_case` wrote there.

        Raises:
            DataError: the case is there already, or its files are not.
        """
        self._require_new(case_id)
        case = read_case(self.place, case_id)
        if case is None:
            raise DataError(f"the files of case {case_id} are not in {self.place}; prepare it again")
        self._records.append(case.record)
        return case.record

    def _require_free(self) -> None:
        if self.folder.exists() and not self._overwrite:
            raise UsageError(f"{self.folder} exists already; use --overwrite to replace it")

    def _require_new(self, case_id: str) -> None:
        if any(case_id == record.case_id for record in self._records):
            raise DataError(f"case {case_id} was added already; two scans of a domain need two names")

    def is_as_before(self, manifest: Manifest, splits: Mapping[str, Split], seed: int) -> bool:
        """Whether the store that is there already has all that the new one would have, so that it may stay.

        Args:
            manifest, splits, seed: as for `finish`.
        """
        try:
            before = SliceStore.open(self.folder)
        except (InputError, DataError):
            return False
        complete = replace(manifest, cases=tuple(self._records))
        taken = {case.record.case_id for case in self._taken if case.folder == self.folder}
        return (
            taken == {record.case_id for record in self._records}
            and before.manifest.to_json() == complete.to_json()
            and dict(before.splits) == self._splits_of_used(splits)
            and before.seed == seed
        )

    def _splits_of_used(self, splits: Mapping[str, Split]) -> dict[str, Split]:
        """The splits of the patients that have a case.

        Raises:
            DataError: one has none.
        """
        used = sorted({record.patient_id for record in self._records})
        missing = [patient for patient in used if patient not in splits]
        if missing:
            raise DataError(f"{len(missing)} patients have no split, the first is {missing[0]}")
        return {patient: splits[patient] for patient in used}

    def finish(self, manifest: Manifest, splits: Mapping[str, Split], seed: int) -> SliceStore:
        """The finished store, in its place.

        Args:
            manifest: what the store is; its cases are replaced by those that were added.
            splits: the split of each patient id.
            seed: the seed it was drawn with.

        Raises:
            DataError: no case was added, a size or class does not fit the manifest, or a patient has no split.
            InputError: the store cannot be written.
            UsageError: another process has put a store there meanwhile, and it is not to be replaced.
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
        used = self._splits_of_used(splits)
        self._require_free()
        with _writing(self.folder):
            keep_only(self.place, {record.case_id for record in self._records})
            write_document(complete.to_json(), self.place / MANIFEST_FILE)
            _write_versioned({"seed": seed, "patients": used}, self.place / SPLITS_FILE)
            (self.place / OWNER_FILE).unlink(missing_ok=True)
            SliceStore.open(self.place)
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
            os.replace(self.place, self.folder)
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


def _write_versioned(document: Mapping[str, Any], path: Path) -> None:
    write_document({"version": STORE_VERSION, **document}, path)
