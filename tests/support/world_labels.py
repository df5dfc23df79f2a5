"""Labels that know their place: a class is a region of the patient, so that every geometric error shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.pixels.utils import iter_pixels
from scipy.spatial.transform import Rotation

from medsegan.geometry import Grid, reorientation_to
from medsegan.imaging import LabelVolume, read_volume

LPS = np.array([-1.0, -1.0, 1.0])
NAMES = {1: "Liver", 4: "left kidney", 7: "thing"}
SEGMENTS = {1: 1, 4: 2, 7: 3}
"""Value -> number in a binary segmentation."""
ORIENTATIONS = {
    "axial": ((1, 0, 0), (0, 1, 0)),
    "columns against": ((1, 0, 0), (0, -1, 0)),
    "prone": ((-1, 0, 0), (0, -1, 0)),
    "feet first": ((-1, 0, 0), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "coronal up": ((1, 0, 0), (0, 0, 1)),
    "oblique": tuple(map(tuple, Rotation.from_euler("xyz", [12, -20, 33], degrees=True).as_matrix().T[:2])),
}
"""Directions of rows and of columns, LPS."""


def turned(slices: Any, name: str, **changes: Any) -> list[Any]:
    """The usual stack of the tests in another orientation, its slices along their own normal."""
    along_row, along_column = (np.array(one, dtype=float) for one in ORIENTATIONS[name])
    specs: list[Any] = slices.stack(along_row=tuple(along_row), along_column=tuple(along_column), **changes)
    for index, spec in enumerate(specs):
        spec.position = slices.origin + 2.5 * index * np.cross(along_row, along_column)
        spec.tags |= {
            "PatientID": "P-17",
            "PatientName": "Mueller^Anna",
            "PatientSex": "F",
            "StudyDate": "20260102",
        }
    return specs


def label_of(scan: Path, codes: str | None = None, names: Mapping[int, str] = NAMES, **choice: Any) -> LabelVolume:
    """The labels of a scan, in its own order of axes or in that of the codes; `choice` goes to `read_volume`."""
    grid = read_volume(scan, **choice).grid
    array = WorldLabels(grid).array
    if codes is None:
        return LabelVolume(array, grid, names=names)
    turn = reorientation_to(grid, codes)
    return LabelVolume(np.ascontiguousarray(turn.apply(array)), turn.grid(grid), names=names)


class WorldLabels:
    """Three asymmetric regions around a point, in LPS mm: two bent boxes, and a ring around a hole."""

    def __init__(self, grid: Grid) -> None:
        self.centre = grid.corners_mm.mean(axis=0) * LPS + [
            0.013,
            0.017,
            0.011,
        ]  # so that nothing lies on a border
        self.grid = grid

    def of(self, world: np.ndarray) -> np.ndarray:
        """The labels of (..., 3) points in LPS mm: 0, 1, 4 or 7."""
        x, y, z = np.moveaxis(world - self.centre, -1, 0)
        labels = np.zeros(x.shape, dtype=np.uint8)
        first = (abs(x - 3) < 5) & (abs(y - 2) < 2) & (abs(z - 1) < 6)
        first |= (abs(x - 7) < 1.5) & (abs(y - 5) < 5) & (abs(z - 3) < 3.2)
        ring = np.hypot(x + 5, y + 4)
        second = (ring < 5) & (ring > 2.2) & (z > -4.4) & (z < 4)
        third = (abs(x + 4) < 3) & (abs(y - 9) < 1.6) & (abs(z + 5) < 2.6)
        for value, region in ((1, first), (4, second), (7, third)):
            labels[region] = value
        return labels

    @property
    def array(self) -> np.ndarray:
        """The labels of the voxels of the grid."""
        indices = np.stack([*np.indices(self.grid.shape), np.ones(self.grid.shape)], axis=-1)
        return self.of((indices @ self.grid.world_from_voxel.T)[..., :3] * LPS)


def frames_of_seg(path: Path) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """Segment number (0 in a label map), pixels and LPS positions of each frame, read by pydicom alone."""
    dataset = pydicom.dcmread(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    orientation = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, dtype=float)
    down, across = (float(value) for value in shared.PixelMeasuresSequence[0].PixelSpacing)
    rows, columns = np.indices((dataset.Rows, dataset.Columns))
    frames = []
    for groups, pixels in zip(dataset.PerFrameFunctionalGroupsSequence, iter_pixels(dataset), strict=True):
        position = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        identified = groups.get("SegmentIdentificationSequence") or shared.get("SegmentIdentificationSequence")
        number = int(identified[0].ReferencedSegmentNumber) if identified else 0
        world = position + columns[..., None] * across * orientation[:3] + rows[..., None] * down * orientation[3:]
        frames.append((number, pixels, world))
    return frames


def require_true_to_place(path: Path, world_labels: WorldLabels, numbers: Mapping[int, int]) -> None:
    """Every pixel of every frame shows the class that its place demands, and nothing is missing."""
    found = dict.fromkeys(numbers, 0)
    for number, pixels, world in frames_of_seg(path):
        expected = world_labels.of(world)
        for value, own in numbers.items():
            if number in (0, own):
                is_class = pixels == own if number == 0 else pixels != 0
                assert np.array_equal(is_class, expected == value)
                found[value] += int(is_class.sum())
    assert found == {value: int((world_labels.array == value).sum()) for value in numbers}
    assert min(found.values()) > 0
