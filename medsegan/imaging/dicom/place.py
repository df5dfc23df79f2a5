"""Where the slices of a series lie, and whether they make a volume."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import DataError
from ...geometry import Grid
from ..lps import RAS_FROM_LPS
from .header import SliceHeader
from .spacing import Spacing
from .straighten import Straightening, Vector, straight_shifts

_MAX_SHEAR_DEGREES = 0.5
"""Below this the affine holds the shear as it is; a stack of slices is never straighter."""
_MAX_TILT_DEGREES = 45.0
"""No gantry tilts so far; such positions are wrong."""
_DIRECTION_TOLERANCE = 1e-3
_NO_THICKNESS_MM = 1.0
_APART = 1.99
"""Slices so many thicknesses apart may be every second one of a series, of which positions say nothing."""


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the slices of a volume lie.

    Args:
        slices: in the order of their positions along the normal.
        grid: of the volume.
        straightening: how the slices get onto that grid; None = they lie on it.
        notes: what was repaired or assumed.
    """

    slices: tuple[SliceHeader, ...]
    grid: Grid
    straightening: Straightening | None
    notes: tuple[str, ...]


def place_slices(slices: Sequence[SliceHeader], where: str, *, fix_gaps: bool = False) -> Placement:
    """The order and the grid of the slices, and what has to be resampled to get there.

    The step between slices comes from the positions alone; number, location and thickness of the slices are not
    used, nor is the tag of the gantry's tilt (DICOM PS3.3, C.7.6.2 and C.8.2.1).

    Args:
        slices: of equal orientation, matrix and spacing, each at its own position.
        where: the folder, for messages.
        fix_gaps: whether unevenly spaced slices are resampled to an even step.

    Raises:
        DataError: the place is missing, the slices do not lie on one line or are not evenly spaced.
    """
    _require_place(slices)
    along_row, along_column = _directions(slices[0])
    normal = np.cross(along_row, along_column)
    ordered = tuple(sorted(slices, key=lambda header: float(np.dot(header.position, normal))))
    row_spacing, column_spacing = ordered[0].pixel_spacing
    affine = np.eye(4)
    affine[:3, 0] = along_row * column_spacing
    affine[:3, 1] = along_column * row_spacing
    affine[:3, 3] = ordered[0].position
    rows, columns = ordered[0].matrix
    if len(ordered) == 1:
        step_mm, note = _single_step_mm(ordered[0])
        affine[:3, 2] = normal * step_mm
        return Placement(ordered, Grid((columns, rows, 1), RAS_FROM_LPS @ affine), None, (note,))
    positions = np.array([header.position for header in ordered])
    spacing = Spacing(positions @ normal)
    if not spacing.is_even and not fix_gaps:
        raise DataError(
            f"{where}: {len(ordered)} slices are not evenly spaced: {spacing.describe()}. Export the series "
            "again, or pass --fix-gaps to fill the gaps by interpolation"
        )
    n_even = len(ordered) if spacing.is_even else spacing.count_even(where)
    affine[:3, 2] = (positions[-1] - positions[0]) / (n_even - 1)
    tilt_degrees = _tilt_degrees(positions, normal, spacing, where)
    if spacing.is_even and tilt_degrees <= _MAX_SHEAR_DEGREES:
        apart = _apart_notes(ordered, spacing)
        return Placement(ordered, Grid((columns, rows, n_even), RAS_FROM_LPS @ affine), None, apart)
    along = spacing.along_normal - spacing.along_normal[0]
    step_mm = along[-1] / (n_even - 1)
    heights = np.arange(n_even, dtype=np.float64) if spacing.is_even else along / step_mm
    shifts, plane = np.zeros((len(ordered), 2)), (columns, rows)
    if tilt_degrees > _MAX_SHEAR_DEGREES:
        # By the line through the first and the last position, so that jitter within the tolerance moves no slice.
        shear = (positions[-1] - positions[0]) - along[-1] * normal
        sideways = np.array([along_row @ shear / column_spacing, along_column @ shear / row_spacing])
        shifts, start, plane = straight_shifts(np.outer(along / along[-1], sideways), plane)
        affine[:3, 3] += affine[:3, :2] @ start
        affine[:3, 2] = normal * step_mm
    repair = Straightening(shifts, heights, (*plane, n_even), spacing.tolerance_mm / step_mm)
    notes = (*_repair_notes(repair, spacing, tilt_degrees, (columns, rows)), *_apart_notes(ordered, spacing))
    return Placement(ordered, Grid(repair.shape, RAS_FROM_LPS @ affine), repair, notes)


def _repair_notes(
    repair: Straightening, spacing: Spacing, tilt_degrees: float, matrix: tuple[int, int]
) -> tuple[str, ...]:
    notes = []
    if tilt_degrees > _MAX_SHEAR_DEGREES:
        moved = float(np.ptp(repair.shifts, axis=0).max())
        notes.append(
            f"gantry tilt of {tilt_degrees:.2f} degrees, from the positions: each slice was shifted, by up to "
            f"{moved:.2f} pixels in all, onto a straight grid of {repair.shape[0]}x{repair.shape[1]} pixels "
            f"(before {matrix[0]}x{matrix[1]}); what no slice reaches is air"
        )
    if not spacing.is_even:
        step_mm = (spacing.along_normal[-1] - spacing.along_normal[0]) / (repair.shape[2] - 1)
        notes.append(
            f"{len(spacing.along_normal)} slices were not evenly spaced: {spacing.describe()}; resampled to "
            f"{repair.shape[2]} slices {step_mm:.3f} mm apart, {len(repair.between)} of them interpolated "
            "(--fix-gaps)"
        )
    return tuple(notes)


def _apart_notes(slices: Sequence[SliceHeader], spacing: Spacing) -> tuple[str, ...]:
    thickest = max((header.thickness_mm or 0.0 for header in slices), default=0.0)
    if thickest <= 0 or spacing.usual_mm < _APART * thickest:
        return ()
    return (
        f"slices lie {spacing.usual_mm:.3g} mm apart, but are only {thickest:.3g} mm thick; either what lies "
        "between them was not scanned, or slices are missing throughout",
    )


def _require_place(slices: Sequence[SliceHeader]) -> None:
    expected = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
    for header in slices:
        found = (header.position, header.orientation, header.pixel_spacing)
        for (keyword, n_numbers), numbers in zip(expected.items(), found, strict=True):
            if len(numbers) != n_numbers or not np.isfinite(numbers).all():
                raise DataError(
                    f"{header.path}: {keyword} has {len(numbers)} numbers, expected {n_numbers}; without them the "
                    "place of the slice is unknown. Export the series again with its geometry"
                )
        if min(header.pixel_spacing) <= 0 or min(header.matrix) < 1:
            raise DataError(f"{header.path}: PixelSpacing {header.pixel_spacing} with matrix {header.matrix}")


def _directions(header: SliceHeader) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Unit vectors along a row and along a column, LPS, exactly at a right angle."""
    along_row, along_column = np.array(header.orientation[:3]), np.array(header.orientation[3:])
    lengths = float(np.linalg.norm(along_row)), float(np.linalg.norm(along_column))
    cosine = abs(float(along_row @ along_column))
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), cosine) > _DIRECTION_TOLERANCE:
        raise DataError(
            f"{header.path}: ImageOrientationPatient {header.orientation} are no unit vectors at a right angle "
            f"(lengths {lengths[0]:.4f} and {lengths[1]:.4f}, cosine {cosine:.4f}); the header is damaged"
        )
    along_row = along_row / lengths[0]
    along_column = along_column - along_row * float(along_row @ along_column)
    return along_row, along_column / np.linalg.norm(along_column)


def _single_step_mm(header: SliceHeader) -> tuple[float, str]:
    if header.thickness_mm is not None and header.thickness_mm > 0:
        note = f"a single slice; its step is taken from SliceThickness, {header.thickness_mm:g} mm"
        return header.thickness_mm, note
    return _NO_THICKNESS_MM, f"a single slice without SliceThickness; its step is taken as {_NO_THICKNESS_MM:g} mm"


def _tilt_degrees(positions: Vector, normal: Vector, spacing: Spacing, where: str) -> float:
    """The angle between the normal and the line of the positions, on which every position must lie.

    Raises:
        DataError: a position does not, or the angle is larger than that of any gantry.
    """
    along = spacing.along_normal - spacing.along_normal[0]
    sideways = positions - positions[0] - np.outer(along, normal)
    tilt_degrees = float(np.degrees(np.arctan2(np.linalg.norm(sideways[-1]), along[-1])))
    line = np.outer(along / along[-1], sideways[-1]) if along[-1] > 0 else np.zeros_like(sideways)
    beside_mm = np.linalg.norm(sideways - line, axis=1)
    worst = int(beside_mm.argmax())
    if beside_mm[worst] > 2 * spacing.tolerance_mm:
        raise DataError(
            f"{where}: the slice at position {spacing.along_normal[worst]:.3f} lies {beside_mm[worst]:.3f} mm "
            f"beside the line of the others, {2 * spacing.tolerance_mm:.3f} mm are accepted; the slices belong to "
            "different acquisitions"
        )
    if tilt_degrees > _MAX_TILT_DEGREES:
        raise DataError(
            f"{where}: the slices are tilted by {tilt_degrees:.2f} degrees against the direction they are "
            f"stacked in, at most {_MAX_TILT_DEGREES:g} are straightened; the positions seem to be wrong"
        )
    return tilt_degrees
