"""How alike two images are in structure, whatever their contrast: two distances, differentiable in the first.

Both look at small windows. Only pixels inside the image count, so a window at the edge is smaller. Sums are taken
in double precision (half types: at least in float).
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from .library import declare, differentiate
from .memory import as_dense

FLAT = 1e-4
"""Variance below which a window of an image in [-1, 1] counts as flat: a standard deviation of half a per cent."""

_Neighbours = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
_N_PAIRS = 4


def local_correlation(x: torch.Tensor, target: torch.Tensor, radius: int = 4, flat: float = FLAT) -> torch.Tensor:
    """[N] mean over all windows of 1 - r², r the correlation of x and target in the window; 0 to 1.

    It is blind to local changes of scale, offset and sign of the contrast. With means and variances over the
    window of a pixel, r² = cov(x, target)² / (max(var x, flat) max(var target, flat)). A window in which the
    target is flat tells nothing: it counts as 0 and has no gradient. A window in which x alone is flat counts as
    nearly 1; where x is constant the gradient is 0 too, since every direction is as good as its opposite.

    Args:
        x: [N, C, H, W] images, any floating dtype; gradients of every order.
        target: the same shape and dtype; no gradient goes here.
        radius: windows are squares of 2 radius + 1 pixels; at least 1, and with the CUDA kernel at most 582.
        flat: variance below which a window is flat, above 0.

    Raises:
        ValueError: shapes or dtypes differ, or radius or flat is too small.

    Source: Cachier and Pennec, "3D non-rigid registration by gradient descent on a Gaussian-windowed similarity
    measure using convolutions", MMBIA 2000; with square windows and squared, Avants et al., "Symmetric
    diffeomorphic image registration with cross-correlation", MedIA 2008.
    """
    _require_images(x, target, radius, 1, flat)
    return torch.ops.medsegan.local_correlation(x, target, radius, flat)


def self_similarity(
    x: torch.Tensor, target: torch.Tensor, radius: int = 1, dilation: int = 1, flat: float = FLAT
) -> torch.Tensor:
    """[N] mean squared difference of the self-similarity contexts (MIND-SSC) of x and target; 0 to 1.

    The context of a pixel compares the patches around its neighbours up, right, down and left, `dilation` pixels
    away (beyond the edge, the image is continued by its outermost pixels). Of their six pairs it takes the four
    that are sqrt(2) dilation apart: (up, right), (right, down), (down, left), (left, up); not the two of opposite
    neighbours. With d_k the mean squared difference of the patches of pair k, and v = max(mean of all d_k, flat),
    the descriptors are exp(-d_k / v). Unlike in the authors' programs they are not rescaled to a maximum of 1,
    since a maximum has kinks, and the bound of v is a constant, not a fraction of its mean over all images.

    It is blind to scale, offset and sign of the contrast of the whole image, and nearly so where they vary slowly.
    A flat region has descriptors of 1, equal to those of any flat region; where x is constant the gradient is 0.

    Args:
        x: [N, C, H, W] images, any floating dtype; gradients of every order.
        target: the same shape and dtype; no gradient goes here.
        radius: patches are squares of 2 radius + 1 pixels; at least 0, and with the CUDA kernel at most 352.
        dilation: distance of the neighbours in pixels, at least 1.
        flat: least value of v, above 0.

    Raises:
        ValueError: shapes or dtypes differ, or radius, dilation or flat is too small.

    Source: Heinrich et al., "Towards Realtime Multimodal Fusion for Image-Guided Interventions using
    Self-Similarities", MICCAI 2013 (there in 3D: twelve pairs of six neighbours); the normalisation by the mean of
    the patch distances is that of Heinrich et al., "MIND: Modality Independent Neighbourhood Descriptor for
    Multi-Modal Deformable Registration", MedIA 2012.
    """
    _require_images(x, target, radius, 0, flat)
    if dilation < 1:
        raise ValueError(f"dilation must be at least 1, got {dilation}")
    return torch.ops.medsegan.self_similarity(x, target, radius, dilation, flat)


def _require_images(x: torch.Tensor, target: torch.Tensor, radius: int, least: int, flat: float) -> None:
    if x.ndim != 4 or x.shape != target.shape:
        got = f"{list(x.shape)} and {list(target.shape)}"
        raise ValueError(f"expected image and target of one shape [N, C, H, W], got {got}")
    if x.dtype != target.dtype or not x.is_floating_point():
        raise ValueError(f"expected image and target of one floating dtype, got {x.dtype} and {target.dtype}")
    if x.device != target.device:
        raise ValueError(f"expected image and target on one device, got {x.device} and {target.device}")
    if radius < least:
        raise ValueError(f"radius must be at least {least}, got {radius}")
    if not flat > 0:
        raise ValueError(f"flat must be above 0, got {flat}")


def _wide(x: torch.Tensor) -> torch.Tensor:
    """What sums are taken in: differences of them lose half of the digits."""
    has_double = x.device.type != "mps" and x.dtype in (torch.float32, torch.float64)
    return x.to(torch.float64 if has_double else torch.float32)


def _box_sum(x: torch.Tensor, radius: int) -> torch.Tensor:
    """Sums over the pixels of every window that lie inside the image."""
    return F.avg_pool2d(x, 2 * radius + 1, stride=1, padding=radius, divisor_override=1)


def _window_sizes(x: torch.Tensor, radius: int) -> torch.Tensor:
    """[1, 1, H, W] pixels of every window that lie inside the image."""
    return _box_sum(torch.ones_like(x[:1, :1]), radius)


class _Windows:
    """Means, variances and covariance of two images in every window."""

    def __init__(self, x: torch.Tensor, target: torch.Tensor, radius: int, flat: float) -> None:
        self.size = _window_sizes(x, radius)

        def mean(y: torch.Tensor) -> torch.Tensor:
            return _box_sum(y, radius) / self.size

        self.mean_x, self.mean_target = mean(x), mean(target)
        self.covariance = mean(x * target) - self.mean_x * self.mean_target
        variance = mean(x * x) - self.mean_x.square()
        variance_target = mean(target * target) - self.mean_target.square()
        self.x_is_flat = variance <= flat
        self.variance, self.variance_target = variance.clamp_min(flat), variance_target.clamp_min(flat)
        # A factor and no choice: NaN in x stays NaN.
        self.weight = (~(variance_target <= flat)).to(x.dtype)


def _correlation(x: torch.Tensor, target: torch.Tensor, radius: int, flat: float) -> torch.Tensor:
    w = _Windows(x, target, radius, flat)
    distance = w.weight * (1.0 - w.covariance.square() / (w.variance * w.variance_target))
    return distance.mean(dim=(1, 2, 3))


def _correlation_gradient(
    gradient: torch.Tensor, x: torch.Tensor, target: torch.Tensor, radius: int, flat: float
) -> torch.Tensor:
    """Chain rule through covariance and variance of x: means over windows become sums over windows."""
    w = _Windows(x, target, radius, flat)
    share = gradient.view(-1, 1, 1, 1) * w.weight / (x[0].numel() * w.size)
    by_covariance = -2.0 * share * w.covariance / (w.variance * w.variance_target)
    by_variance = -by_covariance * w.covariance / w.variance
    by_variance = torch.where(w.x_is_flat, 0.0, by_variance)
    offset = _box_sum(by_covariance * w.mean_target + by_variance * w.mean_x, radius)
    return target * _box_sum(by_covariance, radius) + x * _box_sum(by_variance, radius) - offset


def _places(length: int, step: int, device: torch.device) -> torch.Tensor:
    """Index of the neighbour of every place along an axis; the outermost ones continue the image."""
    return (torch.arange(length, device=device) + step).clamp(0, length - 1)


def _neighbour_places(x: torch.Tensor, dilation: int) -> tuple[tuple[int, torch.Tensor], ...]:
    """Axis and indices of the neighbours up, right, down, left."""
    steps = ((2, -dilation), (3, dilation), (2, dilation), (3, -dilation))
    return tuple((axis, _places(x.shape[axis], step, x.device)) for axis, step in steps)


class _Context:
    """The descriptors of an image and what leads to them; the pairs lie side by side, [N, 4, C, H, W]."""

    def __init__(self, x: torch.Tensor, radius: int, dilation: int, flat: float) -> None:
        self.size = _window_sizes(x, radius)
        around = [x.index_select(axis, places) for axis, places in _neighbour_places(x, dilation)]
        pairs = zip(around, around[1:] + around[:1], strict=True)
        self.difference = torch.stack([first - second for first, second in pairs], dim=1)
        self.distance = _box_sum_of_pairs(self.difference.square(), radius) / self.size
        mean = self.distance.mean(dim=1, keepdim=True)
        self.is_flat = mean <= flat
        self.scale = mean.clamp_min(flat)
        self.descriptor = torch.exp(-self.distance / self.scale)


def _box_sum_of_pairs(x: torch.Tensor, radius: int) -> torch.Tensor:
    return _box_sum(x.flatten(1, 2), radius).view(x.shape)


def _self_similarity(
    x: torch.Tensor, target: torch.Tensor, radius: int, dilation: int, flat: float
) -> torch.Tensor:
    ours, theirs = (_Context(image, radius, dilation, flat).descriptor for image in (x, target))
    return (ours - theirs).square().mean(dim=(1, 2, 3, 4))


def _self_similarity_gradient(
    gradient: torch.Tensor, x: torch.Tensor, target: torch.Tensor, radius: int, dilation: int, flat: float
) -> torch.Tensor:
    ours, theirs = (_Context(image, radius, dilation, flat) for image in (x, target))
    share = gradient.view(-1, 1, 1, 1, 1) * 2.0 / (_N_PAIRS * x[0].numel())
    by_exponent = -share * (ours.descriptor - theirs.descriptor) * ours.descriptor / ours.scale
    by_scale = -(by_exponent * ours.distance).sum(dim=1, keepdim=True) / ours.scale
    by_distance = by_exponent + torch.where(ours.is_flat, 0.0, by_scale / _N_PAIRS)
    by_difference = 2.0 * ours.difference * _box_sum_of_pairs(by_distance / ours.size, radius)
    dx = torch.zeros_like(x)
    for k, (axis, places) in enumerate(_neighbour_places(x, dilation)):  # first of pair k, second of pair k - 1
        dx = dx.index_add(axis, places, by_difference[:, k] - by_difference[:, k - 1])
    return dx


def _reference(compute: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """The operator [N] of a distance of wide, non-empty images."""

    def operator(x: torch.Tensor, target: torch.Tensor, *options: Any) -> torch.Tensor:
        if x.numel() == 0:
            return x.new_zeros(x.shape[0])
        return compute(_wide(x), _wide(target), *options).to(x.dtype)

    return operator


def _reference_gradient(compute: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """The operator of the gradient of such a distance, in the memory order of x."""

    def operator(gradient: torch.Tensor, x: torch.Tensor, target: torch.Tensor, *options: Any) -> torch.Tensor:
        dx = torch.empty_like(as_dense(x))
        return dx.copy_(compute(_wide(gradient), _wide(x), _wide(target), *options)) if x.numel() else dx

    return operator


def _differentiate_twice(name: str, gradient_of: Callable[..., torch.Tensor]) -> None:
    """Gradients of a distance: the first is an operator, all further ones are those of its plain formula."""

    def save(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        x, target, *ctx.options = inputs
        ctx.save_for_backward(x, target)

    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, target = ctx.saved_tensors
        dx = getattr(torch.ops.medsegan, f"{name}_grad")(gradient, x, target, *ctx.options)
        return dx, None, *(None for _ in ctx.options)

    def save_grad(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        gradient, x, target, *ctx.options = inputs
        ctx.save_for_backward(gradient, x, target)

    def backward_grad(ctx: Any, direction: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        gradient, x, target = ctx.saved_tensors
        if x.numel() == 0:
            return torch.zeros_like(gradient), torch.zeros_like(x), *(None for _ in range(1 + len(ctx.options)))

        def formula(gradient: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
            return gradient_of(_wide(gradient), _wide(x), _wide(target), *ctx.options).to(x.dtype)

        pull_back = torch.func.vjp(formula, gradient, x)[1]
        return *pull_back(direction), None, *(None for _ in ctx.options)

    differentiate(name, backward, save)
    differentiate(f"{name}_grad", backward_grad, save_grad)


def _declare(
    name: str, options: str, distance: Callable[..., torch.Tensor], gradient: Callable[..., torch.Tensor]
) -> None:
    """The operator of a distance and that of its gradient."""
    declare(
        f"{name}(Tensor x, Tensor target, {options}) -> Tensor",
        _reference(distance),
        lambda x, *_: x.new_empty(x.shape[0]),
    )
    declare(
        f"{name}_grad(Tensor gradient, Tensor x, Tensor target, {options}) -> Tensor",
        _reference_gradient(gradient),
        lambda _, x, *__: torch.empty_like(as_dense(x)),
    )
    _differentiate_twice(name, gradient)


_declare("local_correlation", "int radius, float flat", _correlation, _correlation_gradient)
_declare("self_similarity", "int radius, int dilation, float flat", _self_similarity, _self_similarity_gradient)
