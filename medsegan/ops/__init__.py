"""The operators of the models: registered with torch, plain references here, compiled kernels where there are some."""

from .bias_act import bias_act
from .library import has_kernel, load_kernels
from .local_similarity import local_correlation, self_similarity
from .resample2d import downsample2d, upsample2d

load_kernels()

__all__ = [
    "bias_act",
    "downsample2d",
    "has_kernel",
    "load_kernels",
    "local_correlation",
    "self_similarity",
    "upsample2d",
]
