"""The operators of the models: registered with torch, plain references here, compiled kernels where there are some."""

from .bias_act import bias_act
from .library import has_kernel, load_kernels
from .resample2d import downsample2d, upsample2d
from .upfirdn2d import upfirdn2d

load_kernels()

__all__ = ["bias_act", "downsample2d", "has_kernel", "load_kernels", "upfirdn2d", "upsample2d"]
