"""What stands between two convolutions of a generator, in one pass: scale, noise, bias and activation.

y = clamp(gain * lrelu(x * scale + noise + bias)). The slope of the activation is known from y; given that,
everything is linear in the incoming gradient and in (x, scale): all derivatives are made of three operators.
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

_Grads = tuple[torch.Tensor | None, ...]


def modulate_noise_act(
    x: torch.Tensor,
    scale: torch.Tensor,
    noise: torch.Tensor | None,
    bias: torch.Tensor,
    slope: float = SLOPE,
    gain: float = GAIN,
    clamp: float | None = None,
) -> torch.Tensor:
    """Leaky ReLU of x * scale + noise + bias, times a gain, clamped.

    Args:
        x: [N, C, ...] features, any floating dtype.
        scale: [N, C], such as the demodulation of a convolution.
        noise: [N, 1, ...], the same for all channels, its strength included; [1, 1, ...] is the same for all
            samples; None adds nothing.
        bias: [C], added along axis 1.
        slope: of the negative part, above 0; 1 is the identity.
        gain: factor after the activation, above 0.
        clamp: largest absolute value of the result; None = no limit.

    Raises:
        ValueError: slope, gain or clamp is not positive; x has no channels axis; a tensor does not go with x.

    Source: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020, figure 2 and
    equation 3.
    """
    require_activation(slope, gain, clamp)
    require_features(x)
    require_companion("scale", scale, (x.shape[0], x.shape[1]), x)
    require_companion("bias", bias, (x.shape[1],), x)
    if noise is not None:
        maps = (x.shape[0], 1, *x.shape[2:])
        noise = noise.expand(maps) if noise.shape == (1, *maps[1:]) else noise
        require_companion("noise", noise, maps, x)
    return torch.ops.medsegan.modulate_noise_act(x, scale, noise, bias, slope, gain, clamp)


def _reference(
    x: torch.Tensor, scale: torch.Tensor, noise: torch.Tensor | None, bias: torch.Tensor, *act: Any
) -> torch.Tensor:
    x = as_dense(x)
    total = x * along_channels(scale, x) + along_channels(bias, x)
    return activate(total if noise is None else total + noise, *act)


def _tangent(y: torch.Tensor, x: torch.Tensor, scale: torch.Tensor, *changes_and_act: Any) -> torch.Tensor:
    """What changes of x, scale, noise and bias do to y."""
    dx, dscale, dnoise, dbias, *act = changes_and_act
    y = as_dense(y)
    total = dx * along_channels(scale, y) + x * along_channels(dscale, y) + dnoise + along_channels(dbias, y)
    return torch.empty_like(y).copy_(total * factor(y, *act))


def _grad(
    gradient: torch.Tensor, y: torch.Tensor, x: torch.Tensor, scale: torch.Tensor, *act: Any
) -> tuple[torch.Tensor, ...]:
    """Gradients of x, scale, noise and bias."""
    y = as_dense(y)
    through = gradient * factor(y, *act)
    dx = torch.empty_like(y).copy_(through * along_channels(scale, y))
    inner = list(range(2, y.ndim))
    dscale = (through * x).sum(inner) if inner else through * x
    dbias = through.sum([0, *inner])
    return dx, dscale.contiguous(), through.sum(1, keepdim=True).contiguous(), dbias


def _fake_grad(gradient: torch.Tensor, y: torch.Tensor, *_: Any) -> tuple[torch.Tensor, ...]:
    n, c, *inner = y.shape
    return torch.empty_like(as_dense(y)), y.new_empty(n, c), y.new_empty(n, 1, *inner), y.new_empty(c)


_ACT = "float slope, float gain, float? clamp"

declare(
    f"modulate_noise_act(Tensor x, Tensor scale, Tensor? noise, Tensor bias, {_ACT}) -> Tensor",
    _reference,
    lambda x, *_: torch.empty_like(as_dense(x)),
)
declare(
    "modulate_noise_act_tangent(Tensor y, Tensor x, Tensor scale, "
    f"Tensor dx, Tensor dscale, Tensor dnoise, Tensor dbias, {_ACT}) -> Tensor",
    _tangent,
    lambda y, *_: torch.empty_like(as_dense(y)),
)
declare(
    f"modulate_noise_act_grad(Tensor gradient, Tensor y, Tensor x, Tensor scale, {_ACT}) "
    "-> (Tensor, Tensor, Tensor, Tensor)",
    _grad,
    _fake_grad,
)


def _save(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    x, scale, noise, _, *ctx.act = inputs
    ctx.has_noise = noise is not None
    ctx.save_for_backward(output, x, scale)


def _backward(ctx: Any, gradient: torch.Tensor) -> _Grads:
    dx, dscale, dnoise, dbias = torch.ops.medsegan.modulate_noise_act_grad(gradient, *ctx.saved_tensors, *ctx.act)
    return dx, dscale, dnoise if ctx.has_noise else None, dbias, None, None, None


def _save_tangent(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    y, x, scale, dx, dscale, _, _, *ctx.act = inputs
    ctx.save_for_backward(y, x, scale, dx, dscale)


def _backward_tangent(ctx: Any, gradient: torch.Tensor) -> _Grads:
    y, x, scale, dx, dscale = ctx.saved_tensors
    grad = torch.ops.medsegan.modulate_noise_act_grad
    of_x, of_scale, _, _ = grad(gradient, y, dx, dscale, *ctx.act)
    return None, of_x, of_scale, *grad(gradient, y, x, scale, *ctx.act), None, None, None


def _save_grad(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
    gradient, y, x, scale, *ctx.act = inputs
    ctx.save_for_backward(gradient, y, x, scale)


def _backward_grad(ctx: Any, *changes: torch.Tensor) -> _Grads:
    gradient, y, x, scale = ctx.saved_tensors
    of_gradient = torch.ops.medsegan.modulate_noise_act_tangent(y, x, scale, *changes, *ctx.act)
    dx, dscale, _, _ = changes
    of_x, of_scale, _, _ = torch.ops.medsegan.modulate_noise_act_grad(gradient, y, dx, dscale, *ctx.act)
    return of_gradient, None, of_x, of_scale, None, None, None


differentiate("modulate_noise_act", _backward, _save)
differentiate("modulate_noise_act_tangent", _backward_tangent, _save_tangent)
differentiate("modulate_noise_act_grad", _backward_grad, _save_grad)
