"""Operators on arrays of voxels: numpy in, numpy out; compiled where medsegan-cuda is there, scipy elsewhere."""

from .distance_transform import distance_transform, nearest_outside

__all__ = ["distance_transform", "nearest_outside"]
