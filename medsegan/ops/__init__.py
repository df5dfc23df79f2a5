"""The operators: registered with torch, with plain references here and compiled kernels where there are some."""

from .bias_act import bias_act
from .confusion import confusion
from .connected_components import connected_components, keep_largest
from .distance_transform import distance_transform, nearest_outside
from .library import has_kernel, is_compiled, load_kernels, operators
from .local_similarity import local_correlation, self_similarity
from .modulate_noise_act import modulate_noise_act
from .resample2d import downsample2d, upsample2d
from .resample3d import resample3d
from .surface_distances import surface_distances
from .upfirdn2d import upfirdn2d

load_kernels()

__all__ = [
    "bias_act",
    "confusion",
    "connected_components",
    "distance_transform",
    "downsample2d",
    "has_kernel",
    "is_compiled",
    "keep_largest",
    "load_kernels",
    "local_correlation",
    "modulate_noise_act",
    "nearest_outside",
    "operators",
    "resample3d",
    "self_similarity",
    "surface_distances",
    "upfirdn2d",
    "upsample2d",
]
