"""The two nouns of the image tower: a scan and its labels, each with its place in the patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..errors import DataError
from ..geometry import Grid
from ..shapes import Array

Modality = Literal["ct", "mr", "xray", "unknown"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan.

    Args:
        array: (I, J, K) intensities in voxel order; Hounsfield units for CT, arbitrary for MR and X-ray.
        grid: where the voxels lie, RAS+ mm.
        modality: what the file itself says; "unknown" if it says nothing.
        notes: what the reader found worth telling: repairs, conflicts, choices. No patient data.
        is_picture: whether it is a picture without a place in the patient or a header of its scanner.
        frame_uid: FrameOfReferenceUID of DICOM: only what shares it has comparable positions; "" = not said.
        made_up: indices along the third axis of the slices that were interpolated, since none was acquired there.
    """

    array: Array
    grid: Grid
    modality: Modality = "unknown"
    notes: tuple[str, ...] = field(default=())
    is_picture: bool = False
    frame_uid: str = field(default="", repr=False)
    made_up: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _require_same_shape(self.array, self.grid)


@dataclass(frozen=True)
class Outline:
    """What a scan is and where it lies, without its voxels.

    Args:
        grid: of the scan.
        modality: what the file itself says; "unknown" if it says nothing.
    """

    grid: Grid
    modality: Modality


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """Labels of a scan.

    Args:
        array: (I, J, K) integers in voxel order; 0 is background.
        grid: where the voxels lie, RAS+ mm.
        notes: what the reader found worth telling. No patient data.
        is_picture: whether it is a picture without a place in the patient, to be laid on its scan pixel on pixel.
        names: value -> name of the class, where the file itself names its classes; empty where it does not.
    """

    array: Array
    grid: Grid
    notes: tuple[str, ...] = field(default=())
    is_picture: bool = False
    names: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_same_shape(self.array, self.grid)
        if self.array.dtype.kind not in "iu":
            raise DataError(
                f"labels must be integers, got {self.array.dtype}; round them and check the rest first"
            )


def _require_same_shape(array: Array, grid: Grid) -> None:
    if array.shape != grid.shape:
        raise DataError(f"array of shape {array.shape} does not fit a grid of shape {grid.shape}")
