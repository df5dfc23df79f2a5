"""Procedural abdomens in two appearances, CT and MR: data with perfect labels that everybody has."""

from .appearance import Appearance, contrast
from .case import Phantom, generate_case
from .dataset import write_dataset
from .tissues import PhantomLabels, Tissue

__all__ = ["Appearance", "Phantom", "PhantomLabels", "Tissue", "contrast", "generate_case", "write_dataset"]
