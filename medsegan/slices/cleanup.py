"""Clean-up of a labelled volume: an organ that comes in one piece is left in one piece."""

from collections.abc import Collection, Iterable

import numpy as np

from ..shapes import LabelArray
from ..voxels import connected_components, keep_largest

CONNECTIVITY = 26
"""Voxels that touch by a face, an edge or a corner hang together: what is thin and oblique is not torn apart."""

ONE_PIECE_FRACTION = 0.9


def classes_in_one_piece(stacks: Iterable[LabelArray], n_classes: int) -> tuple[int, ...]:
    """The classes that a clean-up may reduce to their largest part, told from labels made by people.

    A class is one of them if its largest part holds nine tenths of its voxels wherever the class occurs; the rest
    is left to slips of the pen. Both lungs under one label, vessels and lesions come in several parts and are not.

    Args:
        stacks: (S, H, W) class indices of one case each.
        n_classes: number of classes, background included.
    """
    is_whole = np.ones(n_classes, dtype=bool)
    occurs = np.zeros(n_classes, dtype=bool)
    for stack in stacks:
        _, sizes, classes = connected_components(stack, CONNECTIVITY)
        totals = np.bincount(classes, weights=sizes, minlength=n_classes)
        largest = np.zeros(n_classes)
        np.maximum.at(largest, classes, sizes)
        occurs |= totals > 0
        is_whole &= largest >= ONE_PIECE_FRACTION * totals
    return tuple(int(index) for index in np.flatnonzero(occurs & is_whole))


def remove_small_parts(labels: LabelArray, classes: Collection[int]) -> tuple[LabelArray, dict[int, int]]:
    """The labels with some classes reduced to their largest part, and how many voxels of each were removed.

    What is removed becomes background.

    Args:
        labels: (I, J, K) class indices, 0 is background.
        classes: to be reduced; all others stay as they are.

    Returns:
        (I, J, K) class indices; voxels by class, only for classes that lost some.
    """
    cleaned = keep_largest(labels, CONNECTIVITY, classes)
    counts = np.bincount(labels[cleaned != labels])
    return cleaned, {int(index): int(counts[index]) for index in np.flatnonzero(counts)}
