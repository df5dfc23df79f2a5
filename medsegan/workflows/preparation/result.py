"""What `prepare` hands back."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...imaging import Modality
from ...slices import Plane

Failures = tuple[tuple[str, str], ...]
"""Scan and reason of each case that could not be prepared; for the user's eyes, never for a manifest."""


class NothingPreparedError(DataError):
    """Not one case could be prepared.

    Args:
        what: the whole in a few words, "none of 3 scans can be read".
        failures: why, of each case; at least one.
    """

    def __init__(self, what: str, failures: Failures) -> None:
        super().__init__(f"{what}; the first one: {failures[0][1]}")
        self.failures = failures


@dataclass(frozen=True)
class ClassSummary:
    """One class of a prepared domain.

    Args:
        name: of the class.
        index: in the store, from 1.
        value: in the masks that `segment` writes.
        domain_value: in the label files of this domain; None where it does not annotate the class.
        n_cases: number of cases that hold it.
        volume_ml: mean volume over these cases; None if there are none, or before anything was prepared.
    """

    name: str
    index: int
    value: int
    domain_value: int | None
    n_cases: int
    volume_ml: float | None


@dataclass(frozen=True)
class PrepareResult:
    """What was prepared, or would be in a dry run.

    Args:
        domain: name of the domain.
        modality: how its intensities are read.
        reason: why it is this modality and this domain.
        layout: how the scans were found.
        size: rows and columns of a slice.
        plane: plane of the slices.
        window: lowest and highest stored intensity shown to a network.
        n_cases: cases in the store.
        n_labeled: those with labels.
        n_slices: slices in the store; in a dry run an estimate.
        bytes_needed: of the arrays on disk; in a dry run an estimate.
        classes: one summary for each class.
        splits: number of cases in "train", "val" and "test".
        labeled_splits: number of labelled cases in each.
        store: the folder of the slice store.
        contact_sheet: the picture of all cases; None in a dry run.
        notes: what was chosen, assumed, repaired or left out.
        failures: file and reason of each case that could not be prepared; for the user's eyes, never for a
            manifest.
        n_taken_over: cases of the store that were there already and are as they were.
        dry_run: whether nothing was written.
    """

    domain: str
    modality: Modality
    reason: str
    layout: str
    size: int
    plane: Plane
    window: tuple[float, float]
    n_cases: int
    n_labeled: int
    n_slices: int
    bytes_needed: int
    classes: tuple[ClassSummary, ...]
    splits: dict[str, int]
    labeled_splits: dict[str, int]
    store: Path
    contact_sheet: Path | None
    notes: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    n_taken_over: int = 0
    dry_run: bool = False

    def to_json(self) -> dict[str, Any]:
        """The result as plain values."""
        document = dataclasses.asdict(self)
        document["store"] = str(self.store)
        document["contact_sheet"] = None if self.contact_sheet is None else str(self.contact_sheet)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in document.items()}
