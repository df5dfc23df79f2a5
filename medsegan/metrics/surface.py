"""Distances between the surfaces of masks, from which every surface metric follows.

The surface of a mask are its voxels with one of the six neighbours outside it; the edge of the image counts as
outside. This is the border of medpy, MONAI and MetricsReloaded. Where an area is asked for, the surface are the
surfels between voxels, as in google-deepmind/surface-distance. For the definitions see Podobnik and Vrtovec,
arXiv 2410.02630.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..shapes import LabelArray, MaskArray
from ..voxels import ClassDistances, SurfelDistances, surface_distances
from .overlap import require_masks

_Millimetres = npt.NDArray[np.float64]
_Spacing = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """The distances of two surfaces from each other, in both directions, and what is derived from them.

    Args:
        prediction_to_reference_mm: (n,) from each surface voxel of the prediction to the reference's surface.
        reference_to_prediction_mm: (m,) from each surface voxel of the reference to the prediction's surface.
        surfels: the same for pieces of surface that have an area; None if they were not measured.
    """

    prediction_to_reference_mm: _Millimetres
    reference_to_prediction_mm: _Millimetres
    surfels: SurfelDistances | None = None

    @property
    def hd100_mm(self) -> float:
        """Hausdorff distance: the largest distance of both directions."""
        return float(max(self.prediction_to_reference_mm.max(), self.reference_to_prediction_mm.max()))

    @property
    def hd95_mm(self) -> float:
        """The larger of the two directed 95th percentiles, linear interpolation, as MONAI and MetricsReloaded."""
        return float(
            max(
                np.percentile(self.prediction_to_reference_mm, 95),
                np.percentile(self.reference_to_prediction_mm, 95),
            )
        )

    @property
    def hd95_pooled_mm(self) -> float:
        """95th percentile of both lists joined, as medpy: blind to an error on under 5 % of both surfaces."""
        return float(np.percentile(self._pooled_mm, 95))

    @property
    def assd_mm(self) -> float:
        """Average symmetric surface distance: the mean of both lists joined."""
        return float(self._pooled_mm.mean())

    @property
    def masd_mm(self) -> float:
        """Mean average surface distance: the mean of the two directed means."""
        return float((self.prediction_to_reference_mm.mean() + self.reference_to_prediction_mm.mean()) / 2.0)

    def nsd_voxel(self, tolerance_mm: float) -> float:
        """Surface Dice by border voxels, as MONAI by default: the part of both lists within the tolerance."""
        return float((self._pooled_mm <= tolerance_mm).mean())

    def nsd(self, tolerance_mm: float) -> float:
        """Surface Dice by area, as surface-distance: the part of both surfaces within the tolerance of the other.

        Args:
            tolerance_mm: largest distance that counts as agreement; below the slice spacing it says little.

        Raises:
            ValueError: the surfels were not measured.
        """
        surfels = self._require_surfels()
        near = surfels.prediction_mm2[surfels.prediction_to_reference_mm <= tolerance_mm].sum()
        near += surfels.reference_mm2[surfels.reference_to_prediction_mm <= tolerance_mm].sum()
        return float(near / (surfels.prediction_mm2.sum() + surfels.reference_mm2.sum()))

    def hd_by_area_mm(self, percent: float) -> float:
        """The larger of the two directed percentiles weighted by area, not interpolated, as surface-distance.

        Args:
            percent: of the area, 0 to 100.

        Raises:
            ValueError: the surfels were not measured.
        """
        surfels = self._require_surfels()
        return max(
            _percentile_by_area(surfels.prediction_to_reference_mm, surfels.prediction_mm2, percent),
            _percentile_by_area(surfels.reference_to_prediction_mm, surfels.reference_mm2, percent),
        )

    def means_by_area_mm(self) -> tuple[float, float]:
        """The mean distances weighted by area, prediction to reference and back, as surface-distance.

        Raises:
            ValueError: the surfels were not measured.
        """
        surfels = self._require_surfels()
        return (
            float(np.average(surfels.prediction_to_reference_mm, weights=surfels.prediction_mm2)),
            float(np.average(surfels.reference_to_prediction_mm, weights=surfels.reference_mm2)),
        )

    def _require_surfels(self) -> SurfelDistances:
        if self.surfels is None:
            raise ValueError("surfels were not measured; ask for them with surfels=True")
        return self.surfels

    @property
    def _pooled_mm(self) -> _Millimetres:
        return np.concatenate([self.prediction_to_reference_mm, self.reference_to_prediction_mm])


def compute_surface_distances(
    prediction: MaskArray, reference: MaskArray, spacing_mm: _Spacing, *, surfels: bool = False
) -> SurfaceDistances:
    """The exact distances between the surfaces of two masks, in mm.

    Args:
        prediction: (I, J, K) bool, at least one voxel.
        reference: (I, J, K) bool, at least one voxel.
        spacing_mm: distance of neighbouring voxel centres along each axis.
        surfels: whether to measure what depends on areas too.

    Raises:
        DataError: the masks differ in shape, are not bool and 3D, or one is empty; or a spacing is not positive.
    """
    require_masks(prediction, reference)
    found = surface_distances(prediction, reference, (1,), spacing_mm, surfels=surfels)[0]
    for name, own_mm in (
        ("prediction", found.prediction_to_reference_mm),
        ("reference", found.reference_to_prediction_mm),
    ):
        if not own_mm.size:
            raise DataError(f"the {name} is empty and has no surface; apply the empty-mask rule before asking")
    return _of_class(found)


def compute_class_distances(
    prediction: LabelArray, reference: LabelArray, values: Sequence[int], spacing_mm: _Spacing
) -> dict[int, SurfaceDistances]:
    """The distances of several classes by their value, without areas, from one call on both volumes.

    Args:
        prediction: (I, J, K) integers.
        reference: (I, J, K) integers.
        values: distinct; each is there in both volumes.
        spacing_mm: distance of neighbouring voxel centres along each axis.

    Raises:
        DataError: the volumes differ in shape, are not 3D integers, or a spacing is not positive.
    """
    found = surface_distances(prediction, reference, values, spacing_mm, surfels=False)
    return {value: _of_class(one) for value, one in zip(values, found, strict=True)}


def _of_class(found: ClassDistances) -> SurfaceDistances:
    return SurfaceDistances(found.prediction_to_reference_mm, found.reference_to_prediction_mm, found.surfels)


def _percentile_by_area(distances_mm: _Millimetres, areas_mm2: _Millimetres, percent: float) -> float:
    order = np.argsort(distances_mm, kind="stable")
    part_within = np.cumsum(areas_mm2[order]) / areas_mm2.sum()
    place = min(int(np.searchsorted(part_within, percent / 100)), len(order) - 1)
    return float(distances_mm[order[place]])
