"""The labels of one case on the grid of its scan, numbered as its domain numbers them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..geometry import Grid
from ..imaging import LabelVolume, align_label, class_name_of, read_label
from ..shapes import LabelArray


def read_case_label(
    path: Path, grid: Grid, values: Mapping[str, int], *, resample: bool = False
) -> tuple[LabelVolume, tuple[str, ...]]:
    """The labels on `grid` in the values of the domain, and notes on what was done for it.

    Args:
        path: the label file or folder.
        grid: of the scan.
        values: name of each class of the domain -> its value. Files that name their classes go by the names, since
            each may number them in its own way, and what has no value here becomes background; all others go by
            their values.
        resample: whether labels on another grid are resampled instead of refused.

    Raises:
        InputError: the labels cannot be read.
        DataError: they are no labels of this scan.
    """
    label = read_label(path, on=grid, only=values or None, resample=resample)
    aligned, note = align_label(label, grid, resample=resample)
    notes = (*label.notes, *(() if note is None else (note,)))
    return LabelVolume(by_names(aligned, values), grid), notes


def by_names(label: LabelVolume, values: Mapping[str, int]) -> LabelArray:
    """(I, J, K) the labels with each named class at the value of its name; labels without names as they are.

    Args:
        label: with or without names.
        values: name -> value; a class without one becomes background.
    """
    if not label.names:
        return label.array
    value_of = {class_name_of(name): value for name, value in values.items()}
    new = {number: value_of.get(name, 0) for number, name in label.names.items()}
    if all(number == value for number, value in new.items()):
        return label.array
    kind = np.uint8 if max(new.values()) <= 255 else np.uint16
    table: LabelArray = np.zeros(int(label.array.max()) + 1, dtype=kind)
    for number, value in new.items():
        if number < len(table):
            table[number] = value
    return np.take(table, label.array)
