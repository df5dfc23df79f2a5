"""Distances between the surfaces of two label volumes, class by class, as an operator of torch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from ..shapes import FloatArray
from ..voxels.surface_distances import ClassDistances
from ..voxels.surface_distances import surface_distances as on_arrays
from .confusion import require_label_pair
from .library import declare

LISTS = 4
"""Of each class: voxels prediction to reference, reference to prediction; then surfels in the same order."""


class SurfaceDistances(NamedTuple):
    """The lists of all classes in one.

    List n of class c (its position in `labels`) lies from offsets[4 c + n] to offsets[4 c + n + 1]; n = 0: voxels
    of the prediction to the reference, 1: voxels of the reference to the prediction, 2 and 3: the same for
    surfels, which are empty if they were not asked for.

    Args:
        distances_mm: [T] float64; inf where the other surface is empty.
        weights: [T] float64, the area of each surfel in mm2, 1 for voxels.
        offsets: [4 K + 1] int64.
    """

    distances_mm: torch.Tensor
    weights: torch.Tensor
    offsets: torch.Tensor


def surface_distances(
    prediction: torch.Tensor,
    reference: torch.Tensor,
    labels: Sequence[int],
    spacing_mm: Sequence[float],
    surfels: bool = True,
) -> SurfaceDistances:
    """The exact distances between the surfaces of every class, in mm, each list in row-major order of the voxels.

    Args:
        prediction: [I, J, K] integers (uint8, uint16, int16, int32 or int64).
        reference: [I, J, K], the same dtype.
        labels: distinct values of the classes in both; any other value is background.
        spacing_mm: distance of neighbouring voxel centres along I, J and K.
        surfels: whether to measure surfels as well as voxels; for both see `medsegan.voxels.surface_distances`.

    Raises:
        ValueError: shapes or dtypes differ, the volumes are not 3D, a label is there twice, or a spacing is not
            positive.
    """
    require_label_pair(prediction, reference)
    if prediction.ndim != 3 or len(spacing_mm) != 3 or not all(0 < s < float("inf") for s in spacing_mm):
        raise ValueError(
            f"needs 3D volumes and three positive spacings, got {prediction.ndim}D and {tuple(spacing_mm)} mm"
        )
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels must be distinct, got {list(labels)}")
    found = torch.ops.medsegan.surface_distances(prediction, reference, list(labels), list(spacing_mm), surfels)
    return SurfaceDistances(*found)


_Three = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _reference(
    prediction: torch.Tensor, reference: torch.Tensor, labels: list[int], spacing_mm: list[float], surfels: bool
) -> _Three:
    volumes = [volume.detach().cpu().contiguous().numpy() for volume in (prediction, reference)]
    threads = torch.get_num_threads()
    found = on_arrays(volumes[0], volumes[1], labels, spacing_mm, surfels=surfels, threads=threads)
    distances, weights = [], []
    for one in found:
        for distance, weight in _lists(one):
            distances.append(distance)
            weights.append(np.ones(distance.size) if weight is None else weight)
    offsets = np.cumsum([0, *(distance.size for distance in distances)], dtype=np.int64)
    flat = (np.concatenate([np.empty(0), *distances]), np.concatenate([np.empty(0), *weights]), offsets)
    first, second, third = (torch.from_numpy(array).to(prediction.device) for array in flat)
    return first, second, third


def _lists(found: ClassDistances) -> tuple[tuple[FloatArray, FloatArray | None], ...]:
    surfels, nothing = found.surfels, np.empty(0)
    return (
        (found.prediction_to_reference_mm, None),
        (found.reference_to_prediction_mm, None),
        (surfels.prediction_to_reference_mm, surfels.prediction_mm2) if surfels else (nothing, nothing),
        (surfels.reference_to_prediction_mm, surfels.reference_mm2) if surfels else (nothing, nothing),
    )


def _fake(
    prediction: torch.Tensor, reference: torch.Tensor, labels: list[int], spacing_mm: list[float], surfels: bool
) -> _Three:
    total = torch.library.get_ctx().new_dynamic_size()
    distances = prediction.new_empty((total,), dtype=torch.float64)
    offsets = prediction.new_empty((LISTS * len(labels) + 1,), dtype=torch.int64)
    return distances, torch.empty_like(distances), offsets


declare(
    "surface_distances(Tensor prediction, Tensor reference, int[] labels, float[] spacing_mm, bool surfels)"
    " -> (Tensor, Tensor, Tensor)",
    _reference,
    _fake,
)
