"""Closed curves filled on a picture, by the even-odd rule."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..shapes import Array


def fill_even_odd(curves: Sequence[npt.NDArray[np.float64]], shape: tuple[int, int]) -> Array:
    """(X, Y) bool: the pixels whose centres lie within an odd number of the curves.

    So a curve within another one cuts a hole, and the two lines of a keyhole cancel. Pixel (x, y) has its centre
    at (x, y). A centre on a curve counts on one side of the shape only, so that shapes that share a border never
    share a pixel, and areas have no bias.

    Args:
        curves: (n, 2) corners (x, y) of each, in pixels; the last is joined to the first. May reach outside.
        shape: of the picture.
    """
    n_x, n_y = shape
    starts = [np.asarray(curve, dtype=np.float64) for curve in curves if len(curve) >= 3]
    if not starts:
        return np.zeros(shape, dtype=bool)
    a = np.concatenate(starts)
    b = np.concatenate([np.roll(curve, -1, axis=0) for curve in starts])
    low, high = np.minimum(a[:, 1], b[:, 1]), np.maximum(a[:, 1], b[:, 1])
    # A scan line at height y meets the edges with low <= y < high.
    first = np.clip(np.ceil(low), 0, n_y).astype(int)
    counts = np.clip(np.ceil(high), 0, n_y).astype(int) - first
    edge = np.repeat(np.arange(len(a)), counts)
    y = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    t = (y - a[edge, 1]) / (b[edge, 1] - a[edge, 1])
    x = np.clip(np.ceil(a[edge, 0] + t * (b[edge, 0] - a[edge, 0])), 0, n_x).astype(int)
    # Every crossing flips all pixels at and behind it.
    flips = np.bincount(x * n_y + y, minlength=(n_x + 1) * n_y).reshape(n_x + 1, n_y)
    return np.asarray(np.cumsum(flips[:n_x], axis=0) % 2 == 1)
