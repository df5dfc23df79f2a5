"""What the readers of files hand over, before voxels become intensities or labels."""

from dataclasses import dataclass

from ..geometry import Grid
from ..shapes import Array


@dataclass(frozen=True, eq=False)
class StoredArray:
    """The voxels of a file before they are taken as intensities or labels.

    Args:
        array: (I, J, K) values after the file's own slope and intercept.
        grid: where they lie.
        notes: what is worth telling about the file.
    """

    array: Array
    grid: Grid
    notes: tuple[str, ...]
