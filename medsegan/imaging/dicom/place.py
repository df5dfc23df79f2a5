"""Where the slices of a series lie, and whether they make a volume."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...errors import DataError
from ...geometry import Grid
from ..lps import RAS_FROM_LPS
from .header import SliceHeader

_MAX_TILT_DEGREES = 0.5
_DIRECTION_TOLERANCE = 1e-3
_NO_THICKNESS_MM = 1.0


def place_slices(slices: Sequence[SliceHeader], where: str) -> tuple[list[SliceHeader], Grid, list[str]]:
    """The slices in the order of their positions along the normal, their grid and notes.

    The step between slices comes from the positions alone; number, location and thickness of the slices are not
    used (DICOM PS3.3, C.7.6.2).

    Args:
        slices: of equal orientation, matrix and spacing, each at its own position.
        where: the folder, for messages.

    Raises:
        DataError: the place is missing, the slices are sheared (gantry tilt) or not evenly spaced.
    """
    _require_place(slices)
    along_row, along_column = _directions(slices[0])
    normal = np.cross(along_row, along_column)
    ordered = sorted(slices, key=lambda header: float(np.dot(header.position, normal)))
    positions = np.array([header.position for header in ordered])
    notes: list[str] = []
    if len(ordered) == 1:
        step = normal * _single_step_mm(ordered[0], notes)
    else:
        step = (positions[-1] - positions[0]) / (len(ordered) - 1)
        _require_even(positions @ normal, where)
        _require_straight(positions, step, normal, where)
    row_spacing, column_spacing = ordered[0].pixel_spacing
    affine = np.eye(4)
    affine[:3, 0] = along_row * column_spacing
    affine[:3, 1] = along_column * row_spacing
    affine[:3, 2] = step
    affine[:3, 3] = positions[0]
    rows, columns = ordered[0].matrix
    return ordered, Grid((columns, rows, len(ordered)), RAS_FROM_LPS @ affine), notes


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


def _single_step_mm(header: SliceHeader, notes: list[str]) -> float:
    if header.thickness_mm is not None and header.thickness_mm > 0:
        notes.append(f"a single slice; its step is taken from SliceThickness, {header.thickness_mm:g} mm")
        return header.thickness_mm
    notes.append(f"a single slice without SliceThickness; its step is taken as {_NO_THICKNESS_MM:g} mm")
    return _NO_THICKNESS_MM


def _require_even(along_normal: npt.NDArray[np.float64], where: str) -> None:
    gaps = np.diff(along_normal)
    usual = float(np.median(gaps))
    mean = (along_normal[-1] - along_normal[0]) / (len(along_normal) - 1)
    tolerance = max(0.01 * abs(usual), 0.01)
    regular = along_normal[0] + mean * np.arange(len(along_normal))
    offset = float(np.mean(along_normal - regular))
    worst_mm = float(np.abs(along_normal - regular - offset).max())
    # Each position may be off by the tolerance, so a gap may be off by twice as much.
    if worst_mm <= tolerance and float(np.abs(gaps - mean).max()) <= 2 * tolerance and mean > tolerance:
        return
    odd = [index for index, gap in enumerate(gaps) if abs(gap - usual) > 2 * tolerance]
    shown = ", ".join(f"{gaps[i]:.3f} mm after position {along_normal[i]:.3f}" for i in odd[:5])
    more = f" and {len(odd) - 5} more" if len(odd) > 5 else ""
    whole = (
        all(abs(gaps[i] / usual - round(gaps[i] / usual)) < 0.1 and gaps[i] > usual for i in odd) if odd else False
    )
    cause = "slices seem to be missing" if whole else "the spacing changes or a position is wrong"
    raise DataError(
        f"{where}: {len(along_normal)} slices are not evenly spaced: gaps of {usual:.3f} mm, but "
        f"{shown or f'positions up to {worst_mm:.3f} mm off'}{more} (tolerance {tolerance:.3f} mm); {cause}. "
        "Export the series again or resample it to even slices"
    )


def _require_straight(
    positions: npt.NDArray[np.float64],
    step: npt.NDArray[np.float64],
    normal: npt.NDArray[np.float64],
    where: str,
) -> None:
    """The line of the positions must run along the normal and every position must lie on it."""
    along = float(step @ normal)
    tilt_degrees = float(np.degrees(np.arctan2(np.linalg.norm(step - along * normal), along)))
    if tilt_degrees > _MAX_TILT_DEGREES:
        raise DataError(
            f"{where}: the slices are tilted by {tilt_degrees:.2f} degrees against the direction they are "
            f"stacked in (gantry tilt), at most {_MAX_TILT_DEGREES:g} are accepted; straighten it by resampling"
        )
    line = positions[0] + np.arange(len(positions))[:, None] * step
    sideways_mm = float(
        np.linalg.norm(positions - line - np.outer((positions - line) @ normal, normal), axis=1).max()
    )
    tolerance = max(0.01 * along, 0.01) * 2
    if sideways_mm > tolerance:
        raise DataError(
            f"{where}: a slice lies {sideways_mm:.3f} mm beside the line of the others, {tolerance:.3f} mm "
            "are accepted; the slices belong to different acquisitions or are sheared"
        )
