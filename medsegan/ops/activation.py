"""Leaky ReLU with gain and clamp: its value, its derivative, and the checks that its operators share."""

import math

import torch

SLOPE = 0.2
GAIN = math.sqrt(2.0)


def require_activation(slope: float, gain: float, clamp: float | None) -> None:
    """Nothing, if the derivative can be told from the value.

    Raises:
        ValueError: slope, gain or clamp is not positive.
    """
    if not (slope > 0 and gain > 0 and (clamp is None or clamp > 0)):
        raise ValueError(f"slope, gain and clamp must be above 0, got {slope}, {gain} and {clamp}")


def require_features(x: torch.Tensor) -> None:
    """Nothing, if x is a floating [N, C, ...].

    Raises:
        ValueError: it is not.
    """
    if x.ndim < 2 or not x.is_floating_point():
        raise ValueError(f"features must be floating [N, C, ...], got {list(x.shape)} of {x.dtype}")


def require_companion(name: str, tensor: torch.Tensor, shape: tuple[int, ...], x: torch.Tensor) -> None:
    """Nothing, if a tensor that goes with the features x has the shape and the dtype that it must have.

    Raises:
        ValueError: it has not.
    """
    if tuple(tensor.shape) != shape or tensor.dtype != x.dtype:
        expected = f"{list(shape)} of {x.dtype}"
        raise ValueError(
            f"{name} must be {expected} for features {list(x.shape)}, got {list(tensor.shape)} of {tensor.dtype}"
        )


def activate(x: torch.Tensor, slope: float, gain: float, clamp: float | None) -> torch.Tensor:
    """Leaky ReLU of x, times the gain, clamped to [-clamp, clamp]."""
    y = torch.nn.functional.leaky_relu(x, slope) * gain
    limit = None if clamp is None else min(clamp, torch.finfo(x.dtype).max)
    return y if limit is None else y.clamp(-limit, limit)


def factor(y: torch.Tensor, slope: float, gain: float, clamp: float | None) -> torch.Tensor:
    """Derivative of the activation where it gave y."""
    # Numbers alone would be float32 inside `where`, whatever y is.
    steep = torch.where(y > 0, y.new_full((), gain), y.new_full((), gain * slope))
    return steep if clamp is None else torch.where(y.abs() >= clamp, torch.zeros_like(steep), steep)


def along_channels(values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """[C] or [N, C] values in a shape that goes with features x [N, C, ...]."""
    return values.reshape(*values.shape, *[1] * (x.ndim - 2))
