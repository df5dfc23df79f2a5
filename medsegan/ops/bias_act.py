"""Bias, leaky ReLU, gain and clamp in one operator.

y = clamp(gain * lrelu(x + bias)). Its derivative is known from y alone, so that x need not be kept. The two
operators of its derivatives are each other's transpose: from there on gradients of every order exist.
"""

from typing import Any

import torch

from .activation import (
    GAIN,
    SLOPE,
    activate,
    along_channels,
    factor,
    require_activation,
    require_companion,
    require_features,
)
from .library import declare, differentiate
from .memory import as_dense

_Optional = torch.Tensor | None


def bias_act(
    x: torch.Tensor,
    bias: torch.Tensor | None = None,
    slope: float = SLOPE,
    gain: float = GAIN,
    clamp: float | None = None,
) -> torch.Tensor:
    """Leaky ReLU of x + bias, times a gain, clamped; the gain sqrt(2) keeps the variance of activations.

    Args:
        x: [N, C, ...] features, any floating dtype.
        bias: [C], added along axis 1; None adds nothing.
        slope: of the negative part, above 0; 1 is the identity.
        gain: factor after the activation, above 0.
        clamp: largest absolute value of the result; None = no limit.

    Raises:
        ValueError: slope, gain or clamp is not positive; x has no channels axis; the bias does not go with x.

    Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, section 2.1;
    the gain is that of He initialisation for slope 0.2, rounded to sqrt(2) as is usual there.
    """
    require_activation(slope, gain, clamp)
    require_features(x)
    if bias is not None:
        require_companion("bias", bias, (x.shape[1],), x)
    return torch.ops.medsegan.bias_act(x, bias, slope, gain, clamp)


def _reference(x: torch.Tensor, bias: _Optional, slope: float, gain: float, clamp: float | None) -> torch.Tensor:
    x = as_dense(x)
    return activate(x if bias is None else x + along_channels(bias, x), slope, gain, clamp)


def _tangent(
    tangent: torch.Tensor, bias: _Optional, y: torch.Tensor, slope: float, gain: float, clamp: float | None
) -> torch.Tensor:
    """What a change of x and of the bias does to y."""
    y = as_dense(y)
    total = tangent if bias is None else tangent + along_channels(bias, y)
    return torch.empty_like(y).copy_(total * factor(y, slope, gain, clamp))


def _grad(
    gradient: torch.Tensor, y: torch.Tensor, slope: float, gain: float, clamp: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of x and of the bias."""
    y = as_dense(y)
    dx = torch.empty_like(y).copy_(gradient * factor(y, slope, gain, clamp))
    return dx, dx.sum(dim=[d for d in range(dx.ndim) if d != 1])


declare(
    "bias_act(Tensor x, Tensor? bias, float slope, float gain, float? clamp) -> Tensor",
    _reference,
    lambda x, *_: torch.empty_like(as_dense(x)),
)
declare(
    "bias_act_tangent(Tensor tangent, Tensor? bias, Tensor y, float slope, float gain, float? clamp) -> Tensor",
    _tangent,
    lambda tangent, bias, y, *_: torch.empty_like(as_dense(y)),
)
declare(
    "bias_act_grad(Tensor gradient, Tensor y, float slope, float gain, float? clamp) -> (Tensor, Tensor)",
    _grad,
    lambda gradient, y, *_: (torch.empty_like(as_dense(y)), y.new_empty(y.shape[1])),
)


def _save(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    _, bias, *ctx.act = inputs
    ctx.has_bias = bias is not None
    ctx.save_for_backward(output)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[_Optional, ...]:
    (y,) = ctx.saved_tensors
    dx, dbias = torch.ops.medsegan.bias_act_grad(gradient, y, *ctx.act)
    return dx, dbias if ctx.has_bias else None, None, None, None


def _save_tangent(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    _, bias, y, *ctx.act = inputs
    ctx.has_bias = bias is not None
    ctx.save_for_backward(y)


def _backward_tangent(ctx: Any, gradient: torch.Tensor) -> tuple[_Optional, ...]:
    (y,) = ctx.saved_tensors
    dx, dbias = torch.ops.medsegan.bias_act_grad(gradient, y, *ctx.act)
    return dx, dbias if ctx.has_bias else None, None, None, None, None


def _save_grad(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
    _, y, *ctx.act = inputs
    ctx.save_for_backward(y)


def _backward_grad(ctx: Any, dx: torch.Tensor, dbias: torch.Tensor) -> tuple[_Optional, ...]:
    (y,) = ctx.saved_tensors
    return torch.ops.medsegan.bias_act_tangent(dx, dbias, y, *ctx.act), None, None, None, None


differentiate("bias_act", _backward, _save)
differentiate("bias_act_tangent", _backward_tangent, _save_tangent)
differentiate("bias_act_grad", _backward_grad, _save_grad)
