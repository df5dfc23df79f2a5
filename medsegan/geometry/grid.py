"""Where the voxels of a volume lie in the patient."""

from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..shapes import Shape3


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid of voxels in world space: RAS+ millimetres, as in NIfTI-1 section "3D image orientation".

    Args:
        shape: number of voxels along (I, J, K), each at least 1.
        world_from_voxel: (4, 4) affine from voxel indices (i, j, k, 1), centre of voxel, to RAS+ mm.

    Raises:
        DataError: the affine is not finite or not invertible, or the shape is not three positive numbers.
    """

    shape: Shape3
    world_from_voxel: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        affine = np.array(self.world_from_voxel, dtype=np.float64)
        shape = tuple(int(n) for n in self.shape)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise DataError(f"the affine must be a finite 4x4 matrix, got shape {affine.shape}: {affine.tolist()}")
        if len(shape) != 3 or min(shape) < 1:
            raise DataError(f"a volume needs three axes with at least one voxel each, got shape {shape}")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise DataError(f"the affine is singular (a voxel has no volume): {affine[:3, :3].tolist()}")
        affine.flags.writeable = False
        object.__setattr__(self, "world_from_voxel", affine)
        object.__setattr__(self, "shape", shape)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxel centres along each axis: the lengths of the affine's columns."""
        lengths = np.linalg.norm(self.world_from_voxel[:3, :3], axis=0)
        return float(lengths[0]), float(lengths[1]), float(lengths[2])

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.world_from_voxel[:3, :3]))) / 1000.0

    @property
    def corners_mm(self) -> npt.NDArray[np.float64]:
        """(8, 3) positions of the centres of the eight corner voxels."""
        ends = [(0, n - 1) for n in self.shape]
        indices = np.array([(*corner, 1) for corner in product(*ends)], dtype=np.float64)
        return np.asarray((indices @ self.world_from_voxel.T)[:, :3])

    @property
    def diagonal_mm(self) -> float:
        """Length of the longest diagonal between the outer faces: the worst distance that fits into the image."""
        edges = self.world_from_voxel[:3, :3] * np.array(self.shape, dtype=np.float64)
        signs = np.array([(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)], dtype=np.float64)
        return float(np.linalg.norm(signs @ edges.T, axis=1).max())

    def corner_distance_mm(self, other: "Grid") -> float:
        """Largest distance between equal corners of two grids."""
        return float(np.linalg.norm(self.corners_mm - other.corners_mm, axis=1).max())

    def corner_distance_voxels(self, other: "Grid") -> float:
        """Largest distance between equal corners of two grids, in voxels of this grid.

        It is measured in voxel indices: 1 mm is a whole voxel across pixels of 1 mm and a fifth of one across
        slices of 5 mm. Grids of different shape are infinitely far apart.
        """
        if self.shape != other.shape:
            return float("inf")
        shifts = np.linalg.solve(self.world_from_voxel[:3, :3], (other.corners_mm - self.corners_mm).T)
        return float(np.linalg.norm(shifts, axis=0).max())

    def to_json(self) -> dict[str, Any]:
        """The grid as plain numbers, exact to the last bit of the affine."""
        return {"shape": list(self.shape), "world_from_voxel": self.world_from_voxel.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The grid that `to_json` wrote."""
        return cls(tuple(document["shape"]), np.array(document["world_from_voxel"], dtype=np.float64))
