"""The three planes in which a volume is cut, and which way each is looked at."""

from typing import Literal

from ..errors import UsageError

Plane = Literal["axial", "coronal", "sagittal"]

PLANE_CODES: dict[Plane, str] = {"axial": "SPL", "coronal": "PIL", "sagittal": "LIP"}
"""Where the axes (S, H, W) of a stack point: along the normal, down the picture, to its right.

Axial and coronal slices are shown as radiologists do: the patient's left is on the right of the picture.
"""


def require_plane(name: str) -> Plane:
    """The plane of that name.

    Raises:
        UsageError: there is no such plane.
    """
    for plane in PLANE_CODES:
        if plane == name:
            return plane
    raise UsageError(f"there is no plane {name!r}; use one of {', '.join(PLANE_CODES)}")
