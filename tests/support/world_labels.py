"""Labels that know their place: a class is a region of the patient, so that every geometric error shows."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.pixels.utils import iter_pixels

from medsegan.geometry import Grid

LPS = np.array([-1.0, -1.0, 1.0])


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
