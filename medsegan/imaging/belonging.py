"""What should make a user look whether labels belong to their scan, although they lie on it."""

from pathlib import Path

import numpy as np

from ..shapes import LabelArray
from .dicom.label_object import frames_of_reference, is_dicom_label
from .volume import Volume


def belonging_notes(path: Path, labels: LabelArray, volume: Volume) -> tuple[str, ...]:
    """Notes on labels that may not belong to their scan, or not to all of its slices; most often none.

    Args:
        path: the label file; only DICOM says in which frame of reference its positions are.
        labels: (I, J, K) on the grid of the scan.
        volume: the scan.

    Source:
        DICOM PS3.3, C.7.4.1 (frame of reference).
    """
    notes = []
    frames = frames_of_reference(path) if is_dicom_label(path) else frozenset()
    if volume.frame_uid and frames and volume.frame_uid not in frames:
        notes.append(
            "scan and labels name different frames of reference (FrameOfReferenceUID), so that their positions "
            "may not be comparable; look whether the labels lie on their organs"
        )
    n_without = sum(_is_hole(labels, index) for index in volume.made_up)
    if n_without:
        notes.append(
            f"{n_without} slices were interpolated between labelled ones (--fix-gaps) and have no labels of their "
            "own; they count as background"
        )
    return tuple(notes)


def _is_hole(labels: LabelArray, index: int) -> bool:
    """Whether a slice is empty while there are labels both below and above it."""
    if not 0 < index < labels.shape[2] - 1 or labels[:, :, index].any():
        return False
    has_labels = np.flatnonzero(labels.any(axis=(0, 1)))
    return bool(len(has_labels) and has_labels[0] < index < has_labels[-1])
