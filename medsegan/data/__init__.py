"""The bridge: prepared slices as tensors, and what is drawn from them."""

from .appearance import randomize_appearance
from .augment import augment_pair
from .slices import LabeledSlices, UnlabeledSlices, load_labeled, load_unlabeled, unit_range
from .warp import AffineRange, random_affine, warp

__all__ = [
    "AffineRange",
    "LabeledSlices",
    "UnlabeledSlices",
    "augment_pair",
    "load_labeled",
    "load_unlabeled",
    "random_affine",
    "randomize_appearance",
    "unit_range",
    "warp",
]
