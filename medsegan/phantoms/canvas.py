"""The voxels that a phantom is painted on, one shape after the other."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from ..shapes import MaskArray
from .implicit import Box, Ellipsoid, Field, Points, smooth_noise
from .tissues import PhantomLabels, Tissue


@dataclass(frozen=True, eq=False)
class Canvas:
    """What is painted so far. What comes first stands in front: later shapes give way to it.

    Args:
        points: body coordinates of the voxels.
        rng: source of all surface noise.
        tissue: (I, J, K) uint8 codes of `Tissue`, painted in place.
        label: (I, J, K) uint8 values of `PhantomLabels`, 0 elsewhere, painted in place.
        taken: (I, J, K) bool, where no later shape may go: painted voxels and the fat that parts organs.
    """

    points: Points
    rng: np.random.Generator
    tissue: npt.NDArray[np.uint8]
    label: npt.NDArray[np.uint8]
    taken: MaskArray

    @classmethod
    def blank(cls, points: Points, rng: np.random.Generator) -> Self:
        """A canvas of air on which everything is taken; the body wall opens the cavity."""
        empty = np.zeros(points.shape, dtype=np.uint8)
        return cls(points, rng, empty, empty.copy(), np.ones(points.shape, dtype=bool))

    def box(self, *shapes: Ellipsoid, margin_mm: float = 8.0) -> Box:
        """Slices that hold all these shapes with a margin for gaps and surface noise."""
        low = np.min([np.asarray(shape.centre) - shape.reach_mm for shape in shapes], axis=0) - margin_mm
        high = np.max([np.asarray(shape.centre) + shape.reach_mm for shape in shapes], axis=0) + margin_mm
        return self.points.box((low + high) / 2, (high - low) / 2)

    def roughness(self, box: Box, deviation_mm: float, knot_mm: float = 26.0) -> Field:
        """Smooth surface noise on a box, mm."""
        shape = self.points.crop(box).shape
        if min(shape) == 0:
            return np.zeros(shape, dtype=np.float32)
        return np.float32(deviation_mm) * smooth_noise(self.rng, shape, knot_mm, self.points.spacing_mm)

    def paint(self, box: Box, inside: MaskArray, tissue: Tissue, label: PhantomLabels | None = None) -> MaskArray:
        """The voxels of the box that were free and now are of this tissue; they stay free until `take`."""
        painted = inside & ~self.taken[box]
        self.tissue[box][painted] = tissue
        if label is not None:
            self.label[box][painted] = label
        return painted

    def repaint(self, box: Box, inside: MaskArray, tissue: Tissue) -> None:
        """Change the tissue of voxels whatever they are; the label stays."""
        self.tissue[box][inside] = tissue

    def take(self, box: Box, where: MaskArray) -> None:
        """Keep later shapes out of these voxels."""
        self.taken[box] |= where
