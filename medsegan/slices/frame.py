"""How a stack of square slices lies in a volume: everything that is needed to cut it and to undo the cut."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ..errors import DataError, UsageError
from ..geometry import Grid, Reorientation, Sampling, reorientation_to
from ..imaging import Modality, Volume
from .body import Span, body_box
from .plane import PLANE_CODES, Plane, require_plane

BodyBox = tuple[Span, Span, Span]

_MARGIN = 0.02


@dataclass(frozen=True, eq=False)
class Frame:
    """The cut of a volume into slices: first a change of axes, then an even sampling of rows and of columns.

    Args:
        source: the grid of the volume.
        plane: the plane of the slices.
        reorientation: from the volume's axes (I, J, K) to the stack's (S, H, W); slices are never interpolated
            along S.
        rows: where the rows of a slice lie along the reoriented volume's second axis.
        cols: where its columns lie along the third.

    Raises:
        DataError: rows or columns run backwards.
    """

    source: Grid
    plane: Plane
    reorientation: Reorientation
    rows: Sampling
    cols: Sampling

    def __post_init__(self) -> None:
        if self.rows.step <= 0 or self.cols.step <= 0:
            raise DataError(
                f"rows and columns of a slice must run forwards, got steps {self.rows.step} and {self.cols.step}"
            )

    @property
    def stack_shape(self) -> tuple[int, int, int]:
        """Shape (S, H, W) of the stack."""
        return self.source.shape[self.reorientation.axes[0]], self.rows.count, self.cols.count

    @property
    def stack_grid(self) -> Grid:
        """Where the pixels of the stack (S, H, W) lie in the patient."""
        reoriented_from_stack = np.diag([1.0, self.rows.step, self.cols.step, 1.0])
        reoriented_from_stack[1:3, 3] = self.rows.start, self.cols.start
        reoriented = self.reorientation.grid(self.source)
        return Grid(self.stack_shape, reoriented.world_from_voxel @ reoriented_from_stack)

    def to_json(self) -> dict[str, Any]:
        """The frame as plain numbers, exact to the last bit."""
        return {
            "source": self.source.to_json(),
            "plane": self.plane,
            "reorientation": self.reorientation.to_json(),
            "rows": self.rows.to_json(),
            "cols": self.cols.to_json(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The frame that `to_json` wrote."""
        return cls(
            source=Grid.from_json(document["source"]),
            plane=require_plane(document["plane"]),
            reorientation=Reorientation.from_json(document["reorientation"]),
            rows=Sampling.from_json(document["rows"]),
            cols=Sampling.from_json(document["cols"]),
        )


def native_frame(grid: Grid, plane: Plane, size: int) -> Frame:
    """The frame that takes voxels as pixels, cropped or padded about the centre to `size`: nothing is resampled.

    Args:
        grid: the grid of the volume.
        plane: the plane of the slices.
        size: rows and columns of a slice.

    Raises:
        UsageError: the size is not positive.
    """
    _require_size(size)
    reorientation = reorientation_to(grid, PLANE_CODES[plane])
    _, height, width = reorientation.grid(grid).shape
    rows = Sampling(float((height - size) // 2), 1.0, size)
    cols = Sampling(float((width - size) // 2), 1.0, size)
    return Frame(grid, plane, reorientation, rows, cols)


def fit_frame(volume: Volume, modality: Modality, plane: Plane, size: int) -> Frame:
    """The frame whose square field of view is fitted to the body, with square pixels, one for all slices.

    The field of view is centred on the body and 4 % wider than its longer side, so that scans from devices with
    different fields of view are framed alike. Where no body can be found it is the whole image.

    Args:
        volume: the scan.
        modality: how to read its intensities.
        plane: the plane of the slices.
        size: rows and columns of a slice.

    Raises:
        UsageError: the size is not positive.
    """
    return frame_around(volume.grid, plane, size, find_body(volume, modality))


def find_body(volume: Volume, modality: Modality) -> BodyBox | None:
    """The edges of the body along superior, posterior and left in indices of those axes; `None` if there is none.

    The search always goes through axial slices, so that the box does not depend on the plane that is cut.

    Args:
        volume: the scan.
        modality: how to read its intensities.
    """
    reorientation = reorientation_to(volume.grid, PLANE_CODES["axial"])
    spacing_mm = reorientation.grid(volume.grid).spacing_mm
    return body_box(reorientation.apply(volume.array), spacing_mm, modality)


def frame_around(grid: Grid, plane: Plane, size: int, box: BodyBox | None) -> Frame:
    """The frame with a square field of view around a box.

    Args:
        grid: the grid of the volume.
        plane: the plane of the slices.
        size: rows and columns of a slice.
        box: edges along superior, posterior and left as `find_body` returns them; `None` means the whole image,
            without a margin.

    Raises:
        UsageError: the size is not positive.
    """
    _require_size(size)
    reorientation = reorientation_to(grid, PLANE_CODES[plane])
    stack = reorientation.grid(grid)
    margin = 0.0 if box is None else _MARGIN
    spans = [(-0.5, n - 0.5) for n in stack.shape] if box is None else _in_plane_order(grid, reorientation, box)
    side_mm = max((spans[axis][1] - spans[axis][0]) * stack.spacing_mm[axis] for axis in (1, 2))
    pixel_mm = side_mm * (1.0 + 2.0 * margin) / size
    rows, cols = (_centred(spans[axis], pixel_mm / stack.spacing_mm[axis], size) for axis in (1, 2))
    return Frame(grid, plane, reorientation, rows, cols)


def _in_plane_order(grid: Grid, reorientation: Reorientation, box: BodyBox) -> list[Span]:
    """The box, given along the axes of an axial stack, along the axes of another stack."""
    axial = reorientation_to(grid, PLANE_CODES["axial"])
    spans: list[Span] = []
    for source, flip in zip(reorientation.axes, reorientation.flips, strict=True):
        index = axial.axes.index(source)
        low, high = box[index]
        if flip != axial.flips[index]:
            low, high = grid.shape[source] - 1 - high, grid.shape[source] - 1 - low
        spans.append((low, high))
    return spans


def _centred(span: Span, step: float, size: int) -> Sampling:
    return Sampling(0.5 * (span[0] + span[1]) - 0.5 * step * (size - 1), step, size)


def _require_size(size: int) -> None:
    if size < 1:
        raise UsageError(f"slices need a positive size in pixels, got {size}")
