"""The operators: registered with torch, with plain references here and compiled kernels where there are some."""

from .bias_act import bias_act
from .library import has_kernel, load_kernels, operators
from .modulate_noise_act import modulate_noise_act
from .resample2d import downsample2d, upsample2d
from .upfirdn2d import upfirdn2d

load_kernels()

__all__ = [
    "bias_act",
    "downsample2d",
    "has_kernel",
    "load_kernels",
    "modulate_noise_act",
    "operators",
    "upfirdn2d",
    "upsample2d",
]
