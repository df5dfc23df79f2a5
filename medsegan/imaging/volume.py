"""The two nouns of the image tower: a scan and its labels, each with its place in the patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import DataError
from ..geometry import Grid
from ..shapes import Array

Modality = Literal["ct", "mr", "unknown"]


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan.

    Args:
        array: (I, J, K) intensities in voxel order; Hounsfield units for CT, arbitrary for MR.
        grid: where the voxels lie, RAS+ mm.
        modality: what the file itself says; "unknown" if it says nothing.
        notes: what the reader found worth telling: repairs, conflicts, choices. No patient data.
    """

    array: Array
    grid: Grid
    modality: Modality = "unknown"
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        _require_same_shape(self.array, self.grid)


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """Labels of a scan.

    Args:
        array: (I, J, K) integers in voxel order; 0 is background.
        grid: where the voxels lie, RAS+ mm.
        names: value -> name of the class, where the file itself names its classes; empty where it does not.
        notes: what the reader found worth telling. No patient data.
    """

    array: Array
    grid: Grid
    names: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_same_shape(self.array, self.grid)
        if self.array.dtype.kind not in "iu":
            raise DataError(
                f"labels must be integers, got {self.array.dtype}; round them and check the rest first"
            )


def _require_same_shape(array: Array, grid: Grid) -> None:
    if array.shape != grid.shape:
        raise DataError(f"array of shape {array.shape} does not fit a grid of shape {grid.shape}")
