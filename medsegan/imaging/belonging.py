"""What should make a user look whether labels belong to their scan, although they lie on it."""

from pathlib import Path
from typing import Protocol

import numpy as np

from ..shapes import LabelArray
from .dicom.label_object import frames_of_reference, is_dicom_label

OTHER_FRAME = "different frames of reference"
NO_LABELS_BETWEEN = "were interpolated between labelled ones"
"""Words by which these notes are known among all that are kept of a case."""


class PlacedScan(Protocol):
    """What of a scan matters here; see `Volume`."""

    @property
    def frame_uid(self) -> str:
        """FrameOfReferenceUID; "" = not said."""

    @property
    def made_up(self) -> tuple[int, ...]:
        """Indices of the slices that were interpolated."""


def belonging_notes(path: Path, labels: LabelArray, scan: PlacedScan) -> tuple[str, ...]:
    """Notes on labels that may not belong to their scan, or not to all of its slices; most often none.

    Args:
        path: the label file; only DICOM says in which frame of reference its positions are.
        labels: (I, J, K) on the grid of the scan.
        scan: the scan.

    Source:
        DICOM PS3.3, C.7.4.1 (frame of reference).
    """
    notes = []
    frames = frames_of_reference(path) if is_dicom_label(path) else frozenset()
    if scan.frame_uid and frames and scan.frame_uid not in frames:
        notes.append(
            f"scan and labels name {OTHER_FRAME} (FrameOfReferenceUID), so that their positions may not be "
            "comparable; look whether the labels lie on their organs"
        )
    n_without = sum(_is_hole(labels, index) for index in scan.made_up)
    if n_without:
        notes.append(
            f"{n_without} slices {NO_LABELS_BETWEEN} (--fix-gaps) and have no labels of their own; they count as "
            "background"
        )
    return tuple(notes)


def _is_hole(labels: LabelArray, index: int) -> bool:
    """Whether a slice is empty while there are labels both below and above it."""
    if not 0 < index < labels.shape[2] - 1 or labels[:, :, index].any():
        return False
    has_labels = np.flatnonzero(labels.any(axis=(0, 1)))
    return bool(len(has_labels) and has_labels[0] < index < has_labels[-1])
