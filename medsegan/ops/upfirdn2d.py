"""Zero-upsampling, padding, a FIR filter and downsampling in one operator.

Its derivative is itself with the two factors exchanged, the filter turned round and the padding computed:
gradients of every order exist. For the filter [1, 3, 3, 1] with edges that are continued see `resample2d`.
"""

from typing import Any

import torch
import torch.nn.functional as F

from .library import declare, differentiate
from .memory import empty_image
from .precision import in_full_precision

_Ints = list[int]


def upfirdn2d(
    x: torch.Tensor,
    kernel: torch.Tensor,
    up: tuple[int, int] = (1, 1),
    down: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    flip: bool = False,
    gain: float = 1.0,
) -> torch.Tensor:
    """[N, C, H', W'], where H' = floor((H * up + top + bottom - taps) / down) + 1, and W' likewise.

    Every pixel is followed by up - 1 zeros, the image is padded with zeros, filtered where the whole filter fits,
    and every down-th pixel is kept, the first one always.

    Args:
        x: [N, C, H, W], any floating dtype.
        kernel: [kh, kw], or [k] for the same taps along both axes; a constant, any floating dtype.
        up: factors of height and width, 1 or more.
        down: factors of height and width, 1 or more.
        padding: (top, bottom, left, right) in pixels of the upsampled image; negative values crop.
        flip: False is a convolution (the filter runs backwards), True a correlation.
        gain: factor of the result.

    Raises:
        ValueError: an argument is not of these forms, the filter wants a gradient, or does not fit into the image.

    Source: Crochiere and Rabiner, "Multirate Digital Signal Processing", 1983, chapter 2. Along one axis
    `scipy.signal.upfirdn` is the same with the padding (taps - 1, taps - up).
    """
    if x.ndim != 4:
        raise ValueError(f"expected images [N, C, H, W], got {x.ndim} dimensions")
    if kernel.ndim not in (1, 2) or kernel.numel() == 0 or not kernel.is_floating_point():
        raise ValueError(f"expected a floating filter [k] or [kh, kw], got {kernel.dtype} {list(kernel.shape)}")
    if kernel.requires_grad:
        raise ValueError("the filter is a constant: there is no gradient for it; pass kernel.detach()")
    if len(up) != 2 or len(down) != 2 or len(padding) != 4 or min(*up, *down) < 1:
        raise ValueError(f"expected two factors of 1 or more each and four paddings, got {up}, {down}, {padding}")
    room = [
        x.shape[2] * up[0] + padding[0] + padding[1] - kernel.shape[0],
        x.shape[3] * up[1] + padding[2] + padding[3] - kernel.shape[-1],
    ]
    if min(room) < 0:
        raise ValueError(
            f"the filter {list(kernel.shape)} is larger than the padded image, by {-min(room)} pixels"
        )
    return torch.ops.medsegan.upfirdn2d(x, kernel, up, down, padding, flip, gain)


def _size(size: int, taps: int, up: int, down: int, padding: int) -> int:
    room = size * up + padding - taps
    return room // down + 1 if room >= 0 else 0


def _empty(
    x: torch.Tensor, kernel: torch.Tensor, up: _Ints, down: _Ints, padding: _Ints, flip: bool, gain: float
) -> torch.Tensor:
    """The result, uninitialised."""
    height = _size(x.shape[2], kernel.shape[0], up[0], down[0], padding[0] + padding[1])
    width = _size(x.shape[3], kernel.shape[-1], up[1], down[1], padding[2] + padding[3])
    return empty_image(x, height, width)


@in_full_precision
def _reference(
    x: torch.Tensor, kernel: torch.Tensor, up: _Ints, down: _Ints, padding: _Ints, flip: bool, gain: float
) -> torch.Tensor:
    """One depthwise convolution of the upsampled, padded image; half types are summed in float."""
    y = _empty(x, kernel, up, down, padding, flip, gain)
    if y.numel() == 0:
        return y
    work = torch.float64 if x.dtype == torch.float64 else torch.float32
    taps = kernel.to(work)
    taps = torch.outer(taps, taps) if taps.ndim == 1 else taps
    taps = taps if flip else taps.flip(0, 1)
    n, c, h, w = x.shape
    top, bottom, left, right = (max(pixels, 0) for pixels in padding)
    cut_top, cut_bottom, cut_left, cut_right = (max(-pixels, 0) for pixels in padding)
    padded = x.new_zeros((n, c, h * up[0] + top + bottom, w * up[1] + left + right), dtype=work)
    padded[:, :, top : top + h * up[0] : up[0], left : left + w * up[1] : up[1]] = x
    inside = padded[:, :, cut_top : padded.shape[2] - cut_bottom, cut_left : padded.shape[3] - cut_right]
    weight = (taps * gain).expand(c, 1, *taps.shape)
    return y.copy_(F.conv2d(inside, weight, stride=tuple(down), groups=c))


declare(
    "upfirdn2d(Tensor x, Tensor kernel, int[2] up, int[2] down, int[4] padding, bool flip, float gain) -> Tensor",
    _reference,
    _empty,
)


def _save(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    x, kernel, *ctx.how = inputs
    ctx.size = x.shape[2:]
    ctx.save_for_backward(kernel)


def _transposed_padding(before: int, taps: int, size: int, out: int, factors: tuple[int, int]) -> tuple[int, int]:
    """The padding before and after with which the exchanged operator gives back `size` pixels from `out`."""
    up, down = factors
    return taps - 1 - before, (size - 1) * up - out * down + 1 + before


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
    (kernel,) = ctx.saved_tensors
    up, down, padding, flip, gain = ctx.how
    out = gradient.shape[2:]
    top_bottom = _transposed_padding(padding[0], kernel.shape[0], ctx.size[0], out[0], (up[0], down[0]))
    left_right = _transposed_padding(padding[2], kernel.shape[-1], ctx.size[1], out[1], (up[1], down[1]))
    dx = torch.ops.medsegan.upfirdn2d(gradient, kernel, down, up, (*top_bottom, *left_right), not flip, gain)
    return dx, None, None, None, None, None, None


differentiate("upfirdn2d", _backward, _save)
