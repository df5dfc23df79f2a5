"""The operators of the models: registered with torch, plain references here, compiled kernels where there are some."""

from .bias_act import bias_act
from .distance_transform import distance_transform, nearest_outside
from .library import has_kernel, load_kernels
from .resample2d import downsample2d, upsample2d

load_kernels()

__all__ = [
    "bias_act",
    "distance_transform",
    "downsample2d",
    "has_kernel",
    "load_kernels",
    "nearest_outside",
    "upsample2d",
]
