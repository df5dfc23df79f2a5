"""Operators on arrays of voxels: numpy in, numpy out; compiled where medsegan-cuda is there, scipy elsewhere."""

from .confusion import confusion, confusion_of_labels
from .surface_distances import ClassDistances, SurfelDistances, surface_distances

__all__ = ["ClassDistances", "SurfelDistances", "confusion", "confusion_of_labels", "surface_distances"]
