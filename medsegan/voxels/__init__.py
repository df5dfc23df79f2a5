"""Operators on arrays of voxels: numpy in, numpy out; compiled where medsegan-cuda is there, scipy elsewhere."""

from .confusion import confusion, confusion_of_labels
from .connected_components import NEIGHBOURS, connected_components, keep_largest
from .distance_transform import distance_transform, nearest_outside
from .resample3d import resample3d
from .surface_distances import ClassDistances, SurfelDistances, surface_distances

VOXEL_OPERATORS = (
    "confusion",
    "connected_components",
    "distance_transform",
    "keep_largest",
    "nearest_outside",
    "resample3d",
    "surface_distances",
)
"""Those that the library of compiled voxel operators serves, on the CPU, to torch as well."""

__all__ = [
    "NEIGHBOURS",
    "VOXEL_OPERATORS",
    "ClassDistances",
    "SurfelDistances",
    "confusion",
    "confusion_of_labels",
    "connected_components",
    "distance_transform",
    "keep_largest",
    "nearest_outside",
    "resample3d",
    "surface_distances",
]
