"""Labels in DICOM Segmentation objects: binary, fractional and label maps.

Source: DICOM PS3.3, A.51 (Segmentation IOD), C.8.20 (Segmentation Image module) and Supplement 243 (label maps).
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels.utils import iter_pixels

from ...errors import DataError, InputError, MedseganError
from ...geometry import Grid
from ...shapes import Array
from ..class_names import chosen_names, name_classes
from ..lps import RAS_FROM_LPS
from ..paint import Canvas
from ..placed import place_block
from ..volume import LabelVolume
from .lattice import FramePlane, fit_lattice

SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage (DICOM PS3.4, annex B.5)."""


@dataclass(frozen=True)
class _Frame:
    """One frame: where its plane lies, and the number of its segment (0 in a label map)."""

    plane: FramePlane
    segment: int


def read_seg(
    path: Path, on: Grid | None = None, only: Collection[str] | None = None, resample: bool = False
) -> LabelVolume:
    """The labels of a segmentation object with the names of its segments; the values are the segment numbers.

    Fractions count from more than one half of MaximumFractionalValue. Frames that are left out are background.

    Args:
        path: the file.
        on: grid of the scan that the labels are for; `None` = the smallest box around the frames there are.
        only: names of the segments to read; `None` = all.
        resample: whether labels that do not lie on the voxels of `on` are resampled instead of refused.

    Raises:
        InputError: the file is damaged.
        DataError: it is no segmentation in the patient's space, segments overlap, or they do not lie on `on`.
    """
    try:
        dataset = pydicom.dcmread(path)
        kind = _kind_of(dataset, path)
        frames = _frames_of(dataset, kind, path)
        listed = [(int(item.SegmentNumber), str(item.get("SegmentLabel", ""))) for item in dataset.SegmentSequence]
        names = name_classes([(number, label) for number, label in listed if number != 0], str(path))
        _require_known(frames, {number for number, _ in listed}, path)
        hint = None if on is None else _step_of(on, frames[0].plane)
        lattice = fit_lattice([frame.plane for frame in frames], hint, str(path))
        wanted = chosen_names(names, only)
        canvas = Canvas(lattice.grid.shape, wanted)
        for frame, index, pixels in zip(frames, lattice.indices, iter_pixels(dataset, raw=True), strict=True):
            region = (slice(None), slice(None), index)
            if kind == "LABELMAP":
                _paint_map(canvas, region, pixels.T, dataset, path)
            elif frame.segment in wanted:
                canvas.paint(region, _mask_of(pixels.T, dataset, kind), frame.segment)
    except MedseganError:
        raise
    except Exception as error:  # pydicom raises whatever its parsers stumble over
        raise InputError(f"{path}: the segmentation cannot be read ({error}); the file is damaged") from error
    canvas.require_apart(str(path))
    if on is None:
        return LabelVolume(canvas.array, lattice.grid, lattice.notes, names=wanted)
    placed, notes = place_block(canvas.array, lattice.grid, on, str(path), resample)
    return LabelVolume(placed, on, lattice.notes + notes, names=wanted)


def _kind_of(dataset: Dataset, path: Path) -> str:
    if dataset.get("SOPClassUID") not in SEG_CLASSES:
        name = getattr(dataset.get("SOPClassUID"), "name", "missing")
        raise DataError(f"{path}: the SOP class is {name}, expected a DICOM segmentation")
    kind = str(dataset.get("SegmentationType", ""))
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise DataError(
            f"{path}: SegmentationType is {kind or 'missing'}, expected BINARY, FRACTIONAL or LABELMAP"
        )
    if kind == "FRACTIONAL" and not int(dataset.get("MaximumFractionalValue", 0)) > 0:
        raise DataError(f"{path}: a FRACTIONAL segmentation needs MaximumFractionalValue; the header is damaged")
    return kind


def _frames_of(dataset: Dataset, kind: str, path: Path) -> list[_Frame]:
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    own = dataset.PerFrameFunctionalGroupsSequence
    if len(own) != n_frames:
        raise DataError(f"{path}: {n_frames} frames, but functional groups for {len(own)}; the file is damaged")
    return [_frame_of(groups, shared, dataset, kind, path) for groups in own]


def _require_known(frames: list[_Frame], numbers: set[int], path: Path) -> None:
    unknown = sorted({frame.segment for frame in frames} - numbers - {0})
    if unknown:
        raise DataError(f"{path}: frames show segments {unknown[:5]}, which the file does not list; it is damaged")


def _frame_of(groups: Dataset, shared: Dataset, dataset: Dataset, kind: str, path: Path) -> _Frame:
    def group(keyword: str) -> Dataset | None:
        found = groups.get(keyword) or shared.get(keyword)
        return found[0] if found else None

    position, orientation = group("PlanePositionSequence"), group("PlaneOrientationSequence")
    measures, segment = group("PixelMeasuresSequence"), group("SegmentIdentificationSequence")
    if position is None or orientation is None or measures is None:
        raise DataError(
            f"{path}: a frame has no position, orientation or pixel size in the patient; segmentations of slides "
            "and of pictures without a place are not read"
        )
    if kind != "LABELMAP" and segment is None:
        raise DataError(f"{path}: a frame does not say which segment it shows; the file is damaged")
    plane = FramePlane(
        position=_numbers(position.ImagePositionPatient, 3),
        orientation=_numbers(orientation.ImageOrientationPatient, 6),
        pixel_spacing=_numbers(measures.PixelSpacing, 2),
        matrix=(int(dataset.Rows), int(dataset.Columns)),
        step_mm=_optional(measures, "SpacingBetweenSlices"),
        thickness_mm=_optional(measures, "SliceThickness"),
    )
    return _Frame(plane, 0 if kind == "LABELMAP" or segment is None else int(segment.ReferencedSegmentNumber))


def _numbers(values: Any, n: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != n or not np.isfinite(numbers).all():
        raise ValueError(f"{len(numbers)} numbers of {n}")
    return numbers


def _optional(measures: Dataset, keyword: str) -> float | None:
    value = measures.get(keyword)
    return abs(float(value)) if value is not None and float(value) != 0 else None


def _step_of(grid: Grid, plane: FramePlane) -> float:
    """The distance of the grid's voxels along the axis that is nearest to the normal of a frame."""
    axes: npt.NDArray[np.float64] = grid.world_from_voxel[:3, :3] / np.array(grid.spacing_mm)
    return grid.spacing_mm[int(np.abs((RAS_FROM_LPS[:3, :3] @ plane.normal) @ axes).argmax())]


def _mask_of(pixels: Array, dataset: Dataset, kind: str) -> Array:
    if kind == "BINARY":
        return np.asarray(pixels != 0)
    return np.asarray(2 * pixels.astype(np.int64) > int(dataset.MaximumFractionalValue))


def _paint_map(
    canvas: Canvas, region: tuple[slice | int, ...], pixels: Array, dataset: Dataset, path: Path
) -> None:
    """Paint each value of a label map; 0, the padding value and segments called background are background."""
    known = {int(item.SegmentNumber) for item in dataset.SegmentSequence} | {0}
    if "PixelPaddingValue" in dataset:
        known.add(int(dataset.PixelPaddingValue))
    values = [int(value) for value in np.unique(pixels)]
    unknown = sorted(set(values) - known)
    if unknown:
        raise DataError(
            f"{path}: the label map holds the values {unknown[:5]}, which no segment has; it is damaged"
        )
    for value in values:
        if value in canvas.names:
            canvas.paint(region, pixels == value, value)
