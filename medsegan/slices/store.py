"""The slices of a domain on disk, as they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from ..errors import DataError, InputError
from ..shapes import Array, LabelArray
from .document import read_document
from .manifest import MANIFEST_VERSION, CaseRecord, Manifest
from .split import SPLITS, Split

STORE_VERSION = 2
MANIFEST_FILE = "manifest.json"
SPLITS_FILE = "splits.json"


@dataclass(frozen=True, eq=False)
class SliceStore:
    """A slice store that is complete on disk.

    Args:
        folder: the folder of the store.
        manifest: what it holds.
        splits: the split of each patient id.
        seed: the seed the split was drawn with.
    """

    folder: Path
    manifest: Manifest
    splits: Mapping[str, Split]
    seed: int

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The store in a folder; no array is read.

        Raises:
            InputError: there is no store in the folder.
            DataError: a document of the store is damaged, of another version, or lacks a case.
        """
        if not (folder / MANIFEST_FILE).is_file():
            raise InputError(f"there is no slice store in {folder}; make one with `medsegan prepare`")
        manifest = Manifest.from_json(read_document(folder / MANIFEST_FILE))
        splits_document = _read_versioned(folder / SPLITS_FILE)
        splits, seed = splits_document["patients"], int(splits_document["seed"])
        for record in manifest.cases:
            if splits.get(record.patient_id) not in SPLITS:
                raise DataError(
                    f"{folder / SPLITS_FILE} has no split for patient {record.patient_id}; "
                    f"each patient needs one of {', '.join(SPLITS)}"
                )
        return cls(folder, manifest, splits, seed)

    @staticmethod
    def is_outdated(folder: Path) -> bool:
        """Whether the store in a folder was made by an earlier medsegan, and has to be prepared again.

        Raises:
            InputError, DataError: its manifest cannot be read.
        """
        return bool(read_document(folder / MANIFEST_FILE).get("version") != MANIFEST_VERSION)

    def split_of(self, case_id: str) -> Split:
        """The split of a case, which is the split of its patient.

        Raises:
            DataError: there is no such case.
        """
        return self.splits[self.manifest.case(case_id).patient_id]

    def cases(self, split: Split | None = None, labeled: bool | None = None) -> tuple[CaseRecord, ...]:
        """The records of some cases, in the order of the manifest.

        Args:
            split: only cases of this split; `None` means all.
            labeled: only cases that have, or have not, labels; `None` means both.
        """
        return tuple(
            record
            for record in self.manifest.cases
            if (split is None or self.splits[record.patient_id] == split)
            and (labeled is None or record.has_label == labeled)
        )

    def read_images(self, case_id: str) -> Array:
        """The slices of a case, (S, H, W) int16 in stored units, mapped from the file.

        Raises:
            DataError: there is no such case, or the file does not hold what the manifest says.
            InputError: the file is missing.
        """
        record = self.manifest.case(case_id)
        return _read_array(self.images_path(case_id), np.dtype(np.int16), self._shape(record))

    def read_labels(self, case_id: str) -> LabelArray:
        """The labels of a case, (S, H, W) uint8 class indices.

        Raises:
            DataError: the case has no labels, or the file does not hold what the manifest says.
            InputError: the file is missing.
        """
        record = self.manifest.case(case_id)
        if not record.has_label:
            raise DataError(
                f"case {case_id} of domain {self.manifest.domain} has no labels; choose a labelled case"
            )
        path = self.labels_path(case_id)
        labels = np.array(_read_array(path, np.dtype(np.uint8), self._shape(record)))
        highest = int(labels.max())
        if highest >= self.manifest.n_classes:
            raise DataError(
                f"{path} holds class {highest}, but the store has classes 0 to {self.manifest.n_classes - 1}; "
                f"prepare the domain again"
            )
        return labels

    def images_path(self, case_id: str) -> Path:
        """The file of a case's slices."""
        return self.folder / "images" / f"{case_id}.npy"

    def labels_path(self, case_id: str) -> Path:
        """The file of a case's labels, whether or not it has any."""
        return self.folder / "labels" / f"{case_id}.npy"

    def _shape(self, record: CaseRecord) -> tuple[int, int, int]:
        return record.n_slices, self.manifest.size, self.manifest.size


def _read_versioned(path: Path) -> dict[str, Any]:
    document = read_document(path)
    if document.get("version") != STORE_VERSION:
        raise DataError(
            f"{path} has version {document.get('version')!r}, this medsegan reads version {STORE_VERSION}; "
            f"prepare the domain again with --overwrite"
        )
    missing = [key for key in ("patients", "seed") if key not in document]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; prepare the domain again with --overwrite")
    return document


def _read_array(path: Path, dtype: np.dtype[Any], shape: tuple[int, int, int]) -> Array:
    try:
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing from the slice store; prepare the domain again") from error
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is damaged ({error}); prepare the domain again") from error
    if array.dtype != dtype or array.shape != shape:
        raise DataError(
            f"{path} holds {array.dtype} of shape {array.shape}, the manifest says {dtype} of shape {shape}; "
            f"prepare the domain again"
        )
    return array
