"""The differentiable operators of the models, in plain torch."""

from .bias_act import bias_act
from .resample2d import downsample2d, upsample2d

__all__ = ["bias_act", "downsample2d", "upsample2d"]
