"""Made-up scans for the tests of slices: grids in every order of axes, bodies, organs."""

from itertools import permutations, product

import numpy as np
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from medsegan.geometry import Grid, Reorientation

ALL_ORDERS = tuple(
    Reorientation(axes, flips) for axes in permutations(range(3)) for flips in product((False, True), repeat=3)
)
PLANES = ("axial", "coronal", "sagittal")


def oblique_affine(spacing_mm, angles_deg=(0.0, 0.0, 0.0), origin_mm=(0.0, 0.0, 0.0)):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix() @ np.diag(spacing_mm)
    affine[:3, 3] = origin_mm
    return affine


@st.composite
def grids(draw, shapes, spacings, max_angle=40.0):
    """Grids whose axes are in any of the 48 orders, turned by up to `max_angle` about each axis."""
    shape = tuple(draw(shapes) for _ in range(3))
    spacing = tuple(draw(spacings) for _ in range(3))
    angles = tuple(draw(st.floats(-max_angle, max_angle)) for _ in range(3))
    origin = tuple(draw(st.floats(-500, 500)) for _ in range(3))
    straight = Grid(shape, oblique_affine(spacing, angles, origin))
    return draw(st.sampled_from(ALL_ORDERS)).grid(straight)


def ellipsoid(shape, centre, semiaxes):
    """Mask of an ellipsoid, centre and semiaxes in voxels."""
    distances = [((np.arange(n) - c) / r) ** 2 for n, c, r in zip(shape, centre, semiaxes, strict=True)]
    return distances[0][:, None, None] + distances[1][None, :, None] + distances[2][None, None] <= 1.0


def one_hot(labels, n_classes):
    return np.stack([labels == index for index in range(n_classes)], axis=1).astype(np.float32)


def dice(first, second):
    return 2.0 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def trunk(shape=(24, 100, 120), spacing_mm=(6.0, 4.0, 4.0), arms=True, table=True):
    """Tissue of a trunk of 280 x 200 mm in an axial stack (S, H, W), with arms beside it and a table below."""
    rows, cols = np.indices(shape[1:])
    x, y = (cols - 60) * spacing_mm[2], (rows - 45) * spacing_mm[1]
    body = (x / 140) ** 2 + (y / 100) ** 2 <= 1
    lungs = ((np.abs(x) - 60) / 40) ** 2 + (y / 60) ** 2 <= 1
    beside = ((np.abs(x) - 195) / 30) ** 2 + ((y - 20) / 30) ** 2 <= 1
    board = (np.abs(y - 120) <= 4) & (np.abs(x) < 220)
    picture = body & ~lungs
    if arms:
        picture |= beside
    if table:
        picture |= board
    return np.broadcast_to(picture, shape).copy(), (25.0 - 5.0, 25.0 + 40.0), (60 - 35.0, 60 + 35.0)
