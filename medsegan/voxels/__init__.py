"""Operators on arrays of voxels: numpy in, numpy out; compiled where medsegan-cuda is there, scipy elsewhere."""

from .resample3d import resample3d

__all__ = ["resample3d"]
