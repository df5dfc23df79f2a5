"""Colours that tell classes apart, also for most colour-blind eyes."""

import numpy as np
import numpy.typing as npt

_COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
    (153, 153, 51),
    (136, 204, 238),
    (170, 68, 153),
    (68, 170, 153),
    (221, 204, 119),
)
"""Seven hues of Okabe and Ito (Color Universal Design, 2008), then five muted ones of Tol (SRON/EPS/TN/09-002)."""


def class_colours(n_classes: int) -> npt.NDArray[np.uint8]:
    """(n_classes, 3) colours as red, green, blue; background is black, after twelve classes they repeat.

    Args:
        n_classes: number of classes, background among them.
    """
    rows = [(0, 0, 0)] + [_COLOURS[index % len(_COLOURS)] for index in range(n_classes - 1)]
    return np.array(rows[:n_classes], dtype=np.uint8).reshape(-1, 3)
