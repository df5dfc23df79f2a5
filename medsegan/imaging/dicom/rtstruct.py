"""Labels in DICOM RT structure sets: contours drawn onto the slices of their scan.

Source: DICOM PS3.3, A.19 (RT Structure Set IOD) and C.8.8.6 (ROI Contour module).
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset

from ...errors import DataError, InputError, MedseganError, UsageError
from ...geometry import Grid
from ..class_names import chosen_names, class_name_of, name_classes
from ..lps import RAS_FROM_LPS
from ..paint import Canvas
from ..polygons import fill_even_odd
from ..volume import LabelVolume
from .contour_planes import planes_of, slice_planes
from .header import element_numbers

RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_FILLED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_NO_ORGANS = ("EXTERNAL", "BOLUS", "SUPPORT", "FIXATION", "MARKER", "ISOCENTER", "REGISTRATION", "DOSE_REGION")
"""RTROIInterpretedType of what is no organ (DICOM PS3.3, C.8.8.8.1); the outline of the body overlaps all."""


@dataclass(frozen=True)
class _Region:
    """A region of interest: its curves in voxels of the scan, each (n, 3)."""

    number: int
    name: str
    curves: tuple[npt.NDArray[np.float64], ...]


def read_rtstruct(path: Path, on: Grid | None, only: Collection[str] | None = None) -> LabelVolume:
    """The regions of a structure set on the grid of their scan; the values are the ROI numbers.

    A voxel belongs to a region if its centre lies within an odd number of the region's contours: an inner contour
    is a hole. Contours between two slices count for the nearer one, the nearest contour of a slice wins. Regions
    that are no organs by their type (outline of the body, markers) are left out unless
    `only` names them; so are those without closed contours.

    Args:
        path: the file.
        on: grid of the scan; contours have no voxels of their own.
        only: names of the regions to read; `None` = all.

    Raises:
        UsageError: `on` is `None`.
        InputError: the file is damaged.
        DataError: contours are tilted against the slices, regions overlap, or none lies on the scan.
    """
    if on is None:
        raise UsageError(
            f"{path}: contours have no voxels of their own; they are read with the grid of their scan (--source)"
        )
    try:
        dataset = pydicom.dcmread(path, force=True)
        if dataset.get("SOPClassUID") != RTSTRUCT_CLASS:
            raise DataError(f"{path}: this is no RT structure set")
        names, notes = _names_of(dataset, only or (), path)
        wanted = chosen_names(names, only)
        regions, region_notes = _regions_of(dataset, wanted, on, path)
    except MedseganError:
        raise
    except Exception as error:  # pydicom raises whatever its parsers stumble over
        raise InputError(f"{path}: the structure set cannot be read ({error}); the file is damaged") from error
    notes += region_notes
    if not regions and only is not None:
        return LabelVolume(np.zeros(on.shape, dtype=np.uint8), on, tuple(notes))
    if not regions:
        raise DataError(f"{path}: holds no region with closed contours; {'; '.join(notes) or 'the list is empty'}")
    axis = _slice_axis(regions)
    found = {region.number: region.name for region in regions}
    if max(found) > 65535 or min(found) < 1:
        found = {index: name for index, name in enumerate(found.values(), start=1)}
    canvas = Canvas(on.shape, found)
    for value, region in zip(found, regions, strict=True):
        notes += _paint_region(canvas, value, region, axis, path)
    canvas.require_apart(str(path))
    if not canvas.array.any():
        raise DataError(
            f"{path}: no contour lies on the scan; pair the structure set with the scan it was drawn on"
        )
    return LabelVolume(canvas.array, on, tuple(notes), names=found)


def _names_of(dataset: Dataset, only: Collection[str], path: Path) -> tuple[dict[int, str], list[str]]:
    """Number -> name of the regions that may be organs or are asked for, and a note on the others."""
    kinds = {
        int(item.ReferencedROINumber): str(item.get("RTROIInterpretedType") or "").upper()
        for item in dataset.get("RTROIObservationsSequence") or ()
    }
    labels = {int(item.ROINumber): str(item.get("ROIName") or "") for item in dataset.StructureSetROISequence}
    wanted = {class_name_of(name) for name in only}
    others = {
        number: label
        for number, label in labels.items()
        if kinds.get(number) in _NO_ORGANS and class_name_of(label) not in wanted
    }
    names = name_classes([(number, label) for number, label in labels.items() if number not in others], str(path))
    if not others:
        return names, []
    return names, [f"left out as no organs by their type: {', '.join(others.values())}"]


def _regions_of(dataset: Dataset, wanted: dict[int, str], on: Grid, path: Path) -> tuple[list[_Region], list[str]]:
    voxel_from_lps = np.linalg.inv(on.world_from_voxel) @ RAS_FROM_LPS
    regions: list[_Region] = []
    notes: list[str] = []
    drawn: set[int] = set()
    for item in dataset.get("ROIContourSequence") or ():
        number = int(item.ReferencedROINumber)
        if number not in wanted:
            continue
        curves: dict[bytes, npt.NDArray[np.float64]] = {}
        n_open, n_copies = 0, 0
        for contour in item.get("ContourSequence") or ():
            points = np.array(element_numbers(contour, "ContourData", path)).reshape(-1, 3)
            if str(contour.get("ContourGeometricType", "")).upper() not in _FILLED or len(points) < 3:
                n_open += 1
                continue
            if not np.isfinite(points).all():
                raise ValueError("a contour holds numbers that are not finite")
            # A contour that is there twice would cancel itself.
            n_copies += points.tobytes() in curves
            curves[points.tobytes()] = points @ voxel_from_lps[:3, :3].T + voxel_from_lps[:3, 3]
        if n_open:
            notes.append(
                f"{wanted[number]}: {n_open} contours that enclose nothing (points, open lines) are left out"
            )
        if n_copies:
            notes.append(f"{wanted[number]}: {n_copies} exact copies of contours are left out")
        if curves:
            drawn.add(number)
            regions.append(_Region(number, wanted[number], tuple(curves.values())))
    empty = [name for number, name in wanted.items() if number not in drawn]
    if empty:
        notes.append(f"left out without a closed contour: {', '.join(empty)}")
    return regions, notes


def _slice_axis(regions: list[_Region]) -> int:
    """The voxel axis along which the contours are flat."""
    extents = np.array([np.ptp(curve, axis=0) for region in regions for curve in region.curves])
    return int(np.median(extents, axis=0).argmin())


def _paint_region(canvas: Canvas, value: int, region: _Region, axis: int, path: Path) -> list[str]:
    shape = canvas.array.shape
    in_plane = [other for other in range(3) if other != axis]
    planes = planes_of(region.curves, axis, f"{path}: {region.name}")
    chosen, notes = slice_planes([plane.height for plane in planes], shape[axis])
    for index, which in chosen.items():
        mask = fill_even_odd(
            [curve[:, in_plane] for curve in planes[which].curves], (shape[in_plane[0]], shape[in_plane[1]])
        )
        region_index: list[slice | int] = [slice(None)] * 3
        region_index[axis] = index
        canvas.paint(tuple(region_index), mask, value)
    points = np.concatenate(region.curves)[:, in_plane]
    limits = np.array([shape[other] for other in in_plane]) - 0.5
    if (points < -0.5).any() or (points > limits).any():
        notes.append("contours reach outside of the scan's slices; they are cut off there")
    return [f"{region.name}: {note}" for note in notes]
