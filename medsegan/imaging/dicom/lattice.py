"""The regular grid that the frames of a segmentation lie on, of which most may be left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import DataError
from ...geometry import Grid
from ..lps import RAS_FROM_LPS

_TOLERANCE_MM = 0.01
_TOLERANCE = 0.01
_DIRECTION_TOLERANCE = 1e-3
_NO_STEP_MM = 1.0
_LONGEST = 20_000
_MOST_TILT_DEGREES = 45.0
"""No gantry tilts so far; such positions are wrong."""


@dataclass(frozen=True)
class FramePlane:
    """Where a frame lies.

    Args:
        position: of the centre of the first pixel, LPS mm.
        orientation: direction cosines of the rows and then of the columns, LPS.
        pixel_spacing: distance between rows and between columns, mm.
        matrix: rows and columns.
        step_mm: SpacingBetweenSlices; `None` = not said.
        thickness_mm: SliceThickness; `None` = not said.
    """

    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    matrix: tuple[int, int]
    step_mm: float | None
    thickness_mm: float | None

    @property
    def normal(self) -> npt.NDArray[np.float64]:
        """Unit vector along which frames are stacked, LPS."""
        normal = np.cross(self.orientation[:3], self.orientation[3:])
        return np.asarray(normal / np.linalg.norm(normal))


@dataclass(frozen=True)
class Lattice:
    """The grid of the frames: (columns, rows, planes), the plane of each frame, and notes."""

    grid: Grid
    indices: tuple[int, ...]
    notes: tuple[str, ...]


def fit_lattice(frames: Sequence[FramePlane], step_mm: float | None, where: str) -> Lattice:
    """The smallest regular grid that holds all frames.

    The step between planes is SpacingBetweenSlices, else that of the scan, else the smallest gap: the first of
    which all gaps are whole multiples, since frames without a labelled pixel are left out.

    Args:
        frames: at least one; all of one orientation, size and spacing.
        step_mm: distance of the planes of the scan; `None` = not known.
        where: the file, for messages.

    Raises:
        DataError: the frames lie on no regular grid.
    """
    first = frames[0]
    along_row, along_column = _directions(first, where)
    for frame in frames[1:]:
        off = np.abs(np.array(frame.orientation) - np.array(first.orientation)).max()
        if off > _DIRECTION_TOLERANCE or not np.allclose(frame.pixel_spacing, first.pixel_spacing, rtol=1e-4):
            raise DataError(f"{where}: the frames differ in orientation or pixel size; such a file is not read")
    normal = np.cross(along_row, along_column)
    positions = np.array([frame.position for frame in frames])
    heights = positions @ normal
    lowest = int(heights.argmin())
    gaps = np.diff(np.unique(np.round(heights - heights[lowest], 4)))
    gaps = gaps[gaps > _TOLERANCE_MM]
    step, notes = _step(first, gaps, step_mm, where)
    indices = np.rint((heights - heights[lowest]) / step).astype(int)
    if indices.max() >= _LONGEST:
        raise DataError(f"{where}: the frames reach over {indices.max() * step:.0f} mm; the header is damaged")
    along, tilt_notes = _stacking(positions, indices, normal * step, where)
    affine = np.eye(4)
    affine[:3, 0] = along_row * first.pixel_spacing[1]
    affine[:3, 1] = along_column * first.pixel_spacing[0]
    affine[:3, 2] = along
    affine[:3, 3] = positions[lowest]
    rows, columns = first.matrix
    grid = Grid((columns, rows, int(indices.max()) + 1), RAS_FROM_LPS @ affine)
    return Lattice(grid, tuple(int(index) for index in indices), notes + tilt_notes)


def _stacking(
    positions: npt.NDArray[np.float64],
    indices: npt.NDArray[np.int_],
    straight: npt.NDArray[np.float64],
    where: str,
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """The step from plane to plane, LPS mm: along the normal, or slanted as by a tilted gantry, with a note.

    Raises:
        DataError: the frames lie on no line.
    """
    step_mm = float(np.linalg.norm(straight))
    tolerance_mm = max(_TOLERANCE_MM, _TOLERANCE * step_mm) * 2
    lowest, highest = int(indices.argmin()), int(indices.argmax())
    beside_mm = _beside_mm(positions, indices, straight)
    if beside_mm <= tolerance_mm:
        return straight, ()
    slanted = (positions[highest] - positions[lowest]) / max(indices[highest] - indices[lowest], 1)
    degrees = float(np.degrees(np.arccos(np.clip(slanted @ straight / np.linalg.norm(slanted) / step_mm, -1, 1))))
    if _beside_mm(positions, indices, slanted) > tolerance_mm or degrees > _MOST_TILT_DEGREES:
        raise DataError(
            f"{where}: a frame lies {beside_mm:.3g} mm off the line of the others, at a step of {step_mm:.3g} mm; "
            "uneven segmentations are not read: resample the labels to the grid of their scan"
        )
    return slanted, (f"the frames are tilted by {degrees:.2f} degrees against the line they are stacked on",)


def _beside_mm(
    positions: npt.NDArray[np.float64], indices: npt.NDArray[np.int_], step: npt.NDArray[np.float64]
) -> float:
    """The largest distance of a position from its place in a stack of this step."""
    regular = positions[int(indices.argmin())] + indices[:, None] * step
    return float(np.linalg.norm(positions - regular, axis=1).max())


def _step(
    frame: FramePlane, gaps: npt.NDArray[np.float64], scan_step_mm: float | None, where: str
) -> tuple[float, tuple[str, ...]]:
    smallest = float(gaps.min()) if len(gaps) else frame.thickness_mm
    for step in (frame.step_mm, scan_step_mm, smallest):
        if step is None or step <= 0:
            continue
        whole = np.rint(gaps / step)
        # A tolerance for the gaps as such, so that a step far too fine does not fit everything.
        if (whole < 1).any() or (np.abs(gaps - whole * step) > np.maximum(_TOLERANCE_MM, _TOLERANCE * step)).any():
            continue
        if step == scan_step_mm and frame.step_mm is None and len(gaps) and whole.min() > 1:
            return step, (
                f"no two frames of the segmentation are neighbours (gaps from {gaps.min():.3g} mm, slices every "
                f"{step:.3g} mm); the slices between them are taken as background",
            )
        return step, ()
    if len(gaps):
        raise DataError(
            f"{where}: the frames lie on no regular grid: gaps from {gaps.min():.4g} to {gaps.max():.4g} mm are "
            "no whole multiples of one step; resample the labels to the grid of their scan"
        )
    return _NO_STEP_MM, (f"a single frame without thickness; its step is taken as {_NO_STEP_MM:g} mm",)


def _directions(frame: FramePlane, where: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Unit vectors along a row and along a column, LPS, exactly at a right angle."""
    along_row, along_column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1), abs(along_row @ along_column)) > _DIRECTION_TOLERANCE:
        raise DataError(
            f"{where}: ImageOrientationPatient {frame.orientation} are no unit vectors at a right angle; the "
            "header is damaged"
        )
    if min(frame.pixel_spacing) <= 0 or min(frame.matrix) < 1:
        raise DataError(f"{where}: PixelSpacing {frame.pixel_spacing} with matrix {frame.matrix}")
    along_row = along_row / lengths[0]
    along_column = along_column - along_row * float(along_row @ along_column)
    return along_row, along_column / np.linalg.norm(along_column)
