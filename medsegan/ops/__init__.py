"""The operators of the models: registered with torch, plain references here, compiled kernels where there are some."""

from .bias_act import bias_act
from .confusion import confusion
from .library import has_kernel, load_kernels
from .resample2d import downsample2d, upsample2d
from .surface_distances import surface_distances

load_kernels()

__all__ = [
    "bias_act",
    "confusion",
    "downsample2d",
    "has_kernel",
    "load_kernels",
    "surface_distances",
    "upsample2d",
]
