"""How a phantom is scanned: spacing, field of view, tilt of the slices and order of the axes."""

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
import numpy.typing as npt

from ..geometry import Grid, Reorientation
from ..shapes import Array, Shape3
from .anatomy import WARP_KNOT_MM, WARP_MM, Anatomy
from .implicit import Field, Points, Vector, rotation, smooth_noise

SPACING_RANGE = (0.9, 1.12)
"""Factor on the nominal spacing, one for the plane and one for the slices of a case."""

FIELD_RANGE_MM = (350.0, 385.0)
"""Width of the square field of view."""

NARROW_SHARE = 0.35
"""Share of the cases whose field is cut short in front and behind, as is usual in MR."""

FOOT_RANGE_MM = (-6.0, 14.0)
"""Lowest slice above the lower pole of the lower kidney."""

HEAD_RANGE_MM = (-22.0, -5.0)
"""Highest slice above the dome of the liver; negative, since slices without any organ teach nothing."""

OBLIQUE_SD_DEG: Vector = (1.5, 1.5, 2.0)
"""Rotation of the grid against the world about x, y, z."""

_FLIPS = tuple((x, y, z) for x, y, z in product((False, True), repeat=3))

USUAL_ORDERS = tuple(Reorientation(axes, flips) for axes, flips in product(((0, 1, 2), (1, 0, 2)), _FLIPS))
"""Axis permutations and flips that scanners and converters produce: slices last, in-plane axes either way."""

ALL_ORDERS = tuple(
    Reorientation((a, b, c), flips) for (a, b, c), flips in product(permutations((0, 1, 2)), _FLIPS)
)
"""All 48 orders."""

ANY_ORDER_SHARE = 0.125
"""Share of the cases that take any of the 48 orders; the others take a usual one."""


@dataclass(frozen=True, eq=False)
class Placement:
    """The scan of a patient: a grid near RAS for drawing, and the order in which the voxels are stored.

    Args:
        grid: RAS-like grid on which the phantom is drawn.
        body_from_world: (4, 4) affine from world mm to body mm.
        order: from the drawn to the stored array; it moves voxels, never the anatomy.
    """

    grid: Grid
    body_from_world: npt.NDArray[np.float64]
    order: Reorientation

    def points(self, rng: np.random.Generator) -> Points:
        """Body coordinates of all voxels, with a smooth warp drawn from `rng`."""
        affine = self.body_from_world @ self.grid.world_from_voxel
        i, j, k = (np.arange(n, dtype=np.float32) for n in self.grid.shape)
        matrix = affine.astype(np.float32)
        warped: list[Field] = []
        for row in matrix[:3]:
            axis = (row[0] * i)[:, None, None] + (row[1] * j)[:, None] + (row[2] * k + row[3])
            noise = smooth_noise(rng, self.grid.shape, WARP_KNOT_MM, self.grid.spacing_mm)
            warped.append(np.asarray(axis + np.float32(WARP_MM) * np.clip(noise, -2.5, 2.5), dtype=np.float32))
        x, y, z = warped
        return Points(
            x, y, z, np.asarray(np.linalg.inv(affine), dtype=np.float64), self.grid.spacing_mm, 2.5 * WARP_MM
        )


def sample_placement(rng: np.random.Generator, anatomy: Anatomy, in_plane_mm: float, slice_mm: float) -> Placement:
    """A random scan of a patient.

    Args:
        rng: source of all random numbers.
        anatomy: the patient; kidneys and diaphragm decide on the lowest and the highest slice.
        in_plane_mm: nominal spacing of voxels within a slice; each case varies it by `SPACING_RANGE`.
        slice_mm: nominal spacing of slices, varied likewise.
    """
    spacing = np.array([in_plane_mm, in_plane_mm, slice_mm], dtype=np.float64)
    plane_factor, slice_factor = rng.uniform(*SPACING_RANGE, size=2)
    spacing = np.round(spacing * [plane_factor, plane_factor, slice_factor], 3)
    foot = _lowest_pole(anatomy) + rng.uniform(*FOOT_RANGE_MM)
    head = anatomy.wall.dome_right + rng.uniform(*HEAD_RANGE_MM)
    width = max(rng.uniform(*FIELD_RANGE_MM), 2 * anatomy.wall.half_width + 24.0)
    narrow = rng.random() < NARROW_SHARE
    depth = min(width, 2 * anatomy.wall.half_depth + 54.0) if narrow else width
    shape = tuple(max(8, round(mm / step)) for mm, step in zip((width, depth, head - foot), spacing, strict=True))
    off_centre = np.array([*rng.uniform(-5.0, 5.0, size=2), (foot + head) / 2])
    world_centre = rng.uniform((-40.0, -60.0, -400.0), (40.0, 60.0, 200.0))
    body_rotation = rotation(anatomy.rotation_deg)
    oblique = rotation(np.asarray(OBLIQUE_SD_DEG) * np.clip(rng.standard_normal(3), -2, 2))
    grid = _centred_grid(shape, oblique * spacing, world_centre)
    body_from_world = np.eye(4)
    body_from_world[:3, :3] = body_rotation.T
    body_from_world[:3, 3] = off_centre - body_rotation.T @ world_centre
    orders = ALL_ORDERS if rng.random() < ANY_ORDER_SHARE else USUAL_ORDERS
    return Placement(grid, body_from_world, orders[int(rng.integers(len(orders)))])


def _lowest_pole(anatomy: Anatomy) -> float:
    """Height of the lower end of the lower kidney, body mm."""
    kidneys = [anatomy.organs[name] for name in ("right_kidney", "left_kidney") if name in anatomy.organs]
    return min(kidney.centre[2] - kidney.radii[2] for kidney in kidneys)


def _centred_grid(shape: tuple[int, ...], directions: npt.NDArray[np.float64], centre: Array) -> Grid:
    """The grid with these voxel vectors whose middle lies at `centre`."""
    affine = np.eye(4)
    affine[:3, :3] = directions
    affine[:3, 3] = centre - directions @ ((np.asarray(shape) - 1) / 2)
    i, j, k = shape
    shape3: Shape3 = (i, j, k)
    return Grid(shape3, affine)
