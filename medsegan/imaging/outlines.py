"""Closed curves around the pixels of a mask, along their edges."""

import numpy as np
import numpy.typing as npt

from ..shapes import Array


def trace_outlines(mask: Array) -> list[npt.NDArray[np.float64]]:
    """Closed curves along the edges of the pixels, each (n, 2) corners (x, y), the last joined to the first.

    Pixel (x, y) has its centre at (x, y), so that corners lie at halves. Filled by the even-odd rule the curves
    give exactly the mask: every part has a curve, every hole another one within it. Pixels that touch at a corner
    alone are apart. Areas and centres of mass are those of the pixels.

    Args:
        mask: (X, Y) bool.
    """
    padded = np.pad(np.asarray(mask, dtype=bool), 1)
    below = padded[:-1, :-1], padded[1:, 1:]
    across = padded[1:, :-1], padded[:-1, 1:]
    # Where an odd number of the four pixels around a corner is in, the outline turns; where two that face each
    # other across it are, it turns twice.
    n_in = below[0].astype(np.int8) + below[1] + across[0] + across[1]
    falls = (below[0] & below[1]) & (n_in == 2)
    rises = (across[0] & across[1]) & (n_in == 2)
    turns = (n_in % 2 == 1).astype(np.int64) + 2 * (falls | rises)
    x, y = np.nonzero(turns)
    times = turns[x, y]
    x, y = np.repeat(x, times), np.repeat(y, times)
    second = np.concatenate([[False], (x[1:] == x[:-1]) & (y[1:] == y[:-1])]) if len(x) else np.zeros(0, bool)
    # Along each line, corners are joined in pairs. At a double corner the first copy ends the pair before it and
    # the second begins the next one; which copy of one direction meets which of the other keeps the pixels apart.
    along_y = np.lexsort((second, y, x))
    along_x = np.lexsort((second ^ rises[x, y], x, y))
    return _closed(x, y, _partners(along_x), _partners(along_y))


def _partners(order: npt.NDArray[np.intp]) -> list[int]:
    partner = np.empty(len(order), dtype=np.intp)
    partner[order[0::2]], partner[order[1::2]] = order[1::2], order[0::2]
    return [int(one) for one in partner]


def _closed(
    x: npt.NDArray[np.intp], y: npt.NDArray[np.intp], across: list[int], along: list[int]
) -> list[npt.NDArray[np.float64]]:
    """Follow the edges, one of each direction in turn, until each corner was met."""
    corners = np.stack([x, y], axis=1).astype(np.float64) - 0.5
    curves: list[npt.NDArray[np.float64]] = []
    is_met = [False] * len(across)
    for start in range(len(across)):
        if is_met[start]:
            continue
        curve, here = [], start
        while not is_met[here]:
            other = across[here]
            is_met[here] = is_met[other] = True
            curve += [here, other]
            here = along[other]
        curves.append(corners[curve])
    return curves
