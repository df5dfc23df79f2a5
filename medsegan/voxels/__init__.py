"""Operators on arrays of voxels: numpy in, numpy out; compiled where medsegan-cuda is there, scipy elsewhere."""

from .connected_components import NEIGHBOURS, connected_components, keep_largest

__all__ = ["NEIGHBOURS", "connected_components", "keep_largest"]
