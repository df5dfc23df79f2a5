"""Bias, leaky ReLU and gain in one operator."""

import math

import torch
import torch.nn.functional as F

SLOPE = 0.2
GAIN = math.sqrt(2.0)


def bias_act(x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Leaky ReLU of x + bias, times sqrt(2) so that the activations keep their variance.

    Args:
        x: [N, C, ...] features, any floating dtype.
        bias: [C], added along axis 1.

    Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, section 2.1;
    the gain is that of He initialisation for slope 0.2, rounded to sqrt(2) as is usual there.
    """
    shape = [1, -1] + [1] * (x.ndim - 2)
    return F.leaky_relu(x + bias.view(shape), SLOPE) * GAIN
