"""From a scan to the slices that a network sees: the one road for preparing a store and for segmenting."""

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..geometry import reorientation_to
from ..imaging import IntensityScale, Modality, Volume, fit_scale
from ..shapes import Array
from .cut import cut_image
from .frame import Frame, find_body, frame_around
from .plane import PLANE_CODES, Plane

_DARKEST_FILL_HU = -1024.0


@dataclass(frozen=True, eq=False)
class PreparedScan:
    """A scan as a stack of slices, with all that is needed to go back.

    Args:
        images: (S, H, W) int16 in stored units, as `IntensityScale.encode` makes them.
        frame: where the slices lie in the scan.
        scale: how intensities became stored units.
        modality: how the intensities were read.
        notes: what is worth telling about this scan. No patient data.
    """

    images: Array
    frame: Frame
    scale: IntensityScale
    modality: Modality
    notes: tuple[str, ...] = ()


def prepare_scan(volume: Volume, modality: Modality, plane: Plane, size: int) -> PreparedScan:
    """The slices of a scan: field of view fitted to the body, resampled in the plane, intensities in stored units.

    Pixels outside of the scan get its darkest value, but not less than that of air in CT.

    Args:
        volume: the scan.
        modality: "ct" keeps Hounsfield units, everything else is scaled by robust percentiles.
        plane: the plane of the slices.
        size: rows and columns of a slice.

    Raises:
        UsageError: the size is not positive.
        DataError: a picture is read as CT, or a single slice would be cut across.
    """
    _require_possible(volume, modality, plane)
    box = find_body(volume, modality)
    frame = frame_around(volume.grid, plane, size, box)
    # Through the same axes always: the scale must depend neither on the order of the axes nor on the plane.
    axial = reorientation_to(volume.grid, PLANE_CODES["axial"]).apply(volume.array)
    scale = fit_scale(axial, modality)
    darkest = float(np.min(volume.array))
    fill = max(darkest, _DARKEST_FILL_HU) if modality == "ct" else darkest
    images = scale.encode(cut_image(volume.array, frame, fill))
    has_view = box is not None or modality == "xray"
    notes = () if has_view else ("no body set apart from its surroundings: the whole image is the view",)
    return PreparedScan(images, frame, scale, modality, notes)


def _require_possible(volume: Volume, modality: Modality, plane: Plane) -> None:
    if volume.is_picture and modality == "ct":
        raise DataError(
            "a picture holds grey values and no Hounsfield units, so it cannot be read as ct; read it as xray, or "
            "as mr for another kind of slice"
        )
    across = [name for name, codes in PLANE_CODES.items() if _n_slices(volume, codes) == 1]
    if across and plane not in across and max(volume.grid.shape) > 1:
        raise DataError(
            f"the scan is one {across[0]} slice and cannot be cut {plane}; prepare it with --plane {across[0]}"
        )


def _n_slices(volume: Volume, codes: str) -> int:
    return volume.grid.shape[reorientation_to(volume.grid, codes).axes[0]]
