"""The body of one patient: which organs there are, how large, where, and how far from the ordinary.

Every number that decides how hard the anatomy is stands in the tables of this file.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from .implicit import Ellipsoid, Vector

REFERENCE_HALF_WIDTH_MM = 160.0
"""Half width of the body for which the organ table is written."""


@dataclass(frozen=True)
class OrganRow:
    """How one organ is drawn at random.

    Args:
        place: centre; x and y in units of the cavity's half axes, z in mm of the reference body.
        place_sd_mm: standard deviation of the centre along x, y, z.
        radii: half axes in mm of the reference body.
        size_sd: standard deviation of the logarithm of the size.
        aspect_sd: standard deviation of the logarithm of each half axis on top of that.
        tilt: mean rotation about x, y, z in degrees.
        tilt_sd: standard deviation of these rotations.
        power: exponent of the superellipsoid.
        bow_mm: bend of the long axis.
    """

    place: Vector
    place_sd_mm: Vector
    radii: Vector
    size_sd: float
    aspect_sd: float
    tilt: Vector = (0.0, 0.0, 0.0)
    tilt_sd: float = 5.0
    power: float = 2.0
    bow_mm: float = 0.0


ORGANS: dict[str, OrganRow] = {
    "liver_right": OrganRow((0.50, 0.02, 36), (3, 4, 6), (74, 84, 80), 0.08, 0.06, (0, 0, 0), 7.0, 2.4),
    "liver_left": OrganRow((-0.02, 0.50, 62), (6, 4, 5), (72, 36, 40), 0.09, 0.08, (0, 8, -6), 8.0, 2.2),
    "spleen": OrganRow((-0.70, -0.24, 46), (3, 4, 5), (38, 50, 55), 0.08, 0.06, (14, -8, 14), 7.0, 2.2),
    "right_kidney": OrganRow((0.49, -0.44, -24), (3, 3, 6), (32, 30, 57), 0.06, 0.05, (-8, 9, 0), 5.0, 2.2, -10.0),
    "left_kidney": OrganRow((-0.50, -0.43, -12), (3, 3, 6), (32, 30, 59), 0.06, 0.05, (-8, -9, 0), 5.0, 2.2, 10.0),
    "stomach": OrganRow((-0.40, 0.34, 50), (10, 9, 12), (42, 38, 50), 0.18, 0.12, (10, 14, 0), 12.0),
    "antrum": OrganRow((0.02, 0.42, 2), (12, 8, 10), (44, 22, 22), 0.12, 0.12, (0, -10, 0), 12.0),
    "pancreas": OrganRow((-0.16, 0.02, 8), (9, 5, 8), (58, 13, 15), 0.12, 0.12, (0, 16, 12), 10.0),
    "gallbladder": OrganRow((0.38, 0.36, -2), (8, 9, 9), (16, 18, 30), 0.18, 0.12, (18, 8, 0), 12.0),
    "heart": OrganRow((-0.14, 0.38, 114), (7, 6, 6), (62, 42, 34), 0.10, 0.08, (0, 10, -14), 6.0),
    "right_colon": OrganRow((0.80, 0.10, -75), (5, 9, 14), (24, 24, 62), 0.15, 0.10),
    "left_colon": OrganRow((-0.82, -0.02, -62), (5, 9, 14), (20, 20, 66), 0.15, 0.10),
}

LIVER_SEAM_MM = 26.0
"""How broadly the right and the left lobe of the liver flow into each other."""

ROUGHNESS_MM = {"liver": 3.0, "spleen": 2.4, "kidney": 1.5, "stomach": 4.0, "other": 2.0}
"""Standard deviation of the fine displacement of an organ's surface."""

WARP_MM = 3.0
"""Standard deviation of the smooth warp of the whole body, the wall included."""

WARP_KNOT_MM = 75.0
"""Size of the bends of that warp."""

BODY_ROTATION_SD_DEG: Vector = (1.0, 1.5, 2.5)
"""How crooked patients lie: about x, y, z."""

RARE: dict[str, float] = {
    "splenomegaly": 0.06,
    "small_spleen": 0.04,
    "riedel_lobe": 0.06,
    "large_left_lobe": 0.07,
    "missing_kidney": 0.025,
    "atrophic_kidney": 0.05,
    "ptotic_kidney": 0.05,
    "kidney_cysts": 0.14,
    "liver_lesions": 0.16,
    "full_stomach": 0.10,
}
"""Probability of each variant; they are drawn independently."""


@dataclass(frozen=True)
class Wall:
    """The body's outline and wall; half axes and thicknesses in mm, the body's centre is the origin."""

    half_width: float
    half_depth: float
    power: float
    fat_side: float
    fat_front: float
    muscle: float
    dome_right: float
    dome_left: float

    @property
    def cavity(self) -> tuple[float, float]:
        """Half axes (x, y) of the peritoneal cavity, on the inner side of the muscle."""
        return (
            self.half_width - self.fat_side - self.muscle,
            self.half_depth - self.fat_front - self.muscle,
        )


@dataclass(frozen=True)
class Anatomy:
    """One patient, before any voxel is drawn.

    Args:
        wall: outline of the body.
        organs: by the names of `ORGANS`; a missing organ has no entry.
        balls: cysts ("right_kidney", "left_kidney") and lesions ("liver") by the organ that holds them.
        variants: names from `RARE` that this patient has.
        rotation_deg: how the patient lies in the world, about x, y, z.
        scale: size of the body against the reference.
        has_gas: whether the stomach holds a bubble.
    """

    wall: Wall
    organs: dict[str, Ellipsoid]
    balls: dict[str, tuple[Ellipsoid, ...]]
    variants: frozenset[str]
    rotation_deg: Vector
    scale: float
    has_gas: bool = field(default=False)


def sample_anatomy(rng: np.random.Generator) -> Anatomy:
    """A random patient; the same generator state gives the same patient, whatever the appearance."""
    scale = float(np.clip(1.0 + 0.045 * rng.standard_normal(), 0.9, 1.11))
    wall = _sample_wall(rng, scale)
    variants = frozenset(name for name, chance in RARE.items() if rng.random() < chance)
    organs = {name: _sample_organ(rng, row, wall, scale) for name, row in ORGANS.items()}
    rare_kidney = "right_kidney" if rng.random() < 0.5 else "left_kidney"
    organs = _with_variants(organs, variants, rare_kidney)
    balls = _sample_balls(rng, organs, variants)
    rotation_deg = _vector(np.asarray(BODY_ROTATION_SD_DEG) * rng.standard_normal(3))
    return Anatomy(wall, organs, balls, variants, rotation_deg, scale, bool(rng.random() < 0.6))


def _sample_wall(rng: np.random.Generator, scale: float) -> Wall:
    """Outline, fat and muscle; stout bodies are deeper as well as fatter."""
    stout = float(np.clip(rng.standard_normal(), -1.6, 2.0))
    return Wall(
        half_width=(REFERENCE_HALF_WIDTH_MM + 7.0 * stout) * scale,
        half_depth=(106.0 + 8.0 * stout + 4.0 * rng.standard_normal()) * scale,
        power=float(rng.uniform(2.15, 2.7)),
        fat_side=float(np.clip(14.0 + 6.0 * stout, 5.0, 32.0)),
        fat_front=float(np.clip(14.0 + 5.0 * stout + 2.0 * rng.standard_normal(), 5.0, 30.0)),
        muscle=float(rng.uniform(9.0, 14.0)),
        dome_right=float(108.0 * scale + 6.0 * rng.standard_normal()),
        dome_left=float(96.0 * scale + 6.0 * rng.standard_normal()),
    )


def _sample_organ(rng: np.random.Generator, row: OrganRow, wall: Wall, scale: float) -> Ellipsoid:
    """One organ, drawn from its row of the table."""
    cavity = np.array([*wall.cavity, scale])
    centre = np.asarray(row.place) * cavity + scale * np.asarray(row.place_sd_mm) * _bounded(rng, 3)
    size = scale * np.exp(row.size_sd * _bounded(rng, 1)[0])
    radii = size * np.asarray(row.radii) * np.exp(row.aspect_sd * _bounded(rng, 3))
    tilt = np.asarray(row.tilt) + row.tilt_sd * _bounded(rng, 3)
    return Ellipsoid(_vector(centre), _vector(radii), _vector(tilt), row.power, row.bow_mm * scale)


def _with_variants(
    organs: dict[str, Ellipsoid], variants: frozenset[str], rare_kidney: str
) -> dict[str, Ellipsoid]:
    """The organs after the rare variants that this patient has."""
    organs = dict(organs)
    sizes = {
        "splenomegaly": ("spleen", (1.25, 1.35, 1.40), (8, 4, -14)),
        "small_spleen": ("spleen", (0.72, 0.72, 0.70), (-6, 0, 6)),
        "riedel_lobe": ("liver_right", (0.96, 0.90, 1.32), (4, 0, -24)),
        "large_left_lobe": ("liver_left", (1.35, 1.12, 1.12), (-26, 0, 0)),
        "atrophic_kidney": (rare_kidney, (0.70, 0.70, 0.70), (0, 0, 4)),
        "ptotic_kidney": (rare_kidney, (1.0, 1.0, 1.0), (0, 4, -28)),
        "full_stomach": ("stomach", (1.30, 1.25, 1.35), (6, 0, -16)),
    }
    for variant, (name, factors, shift) in sizes.items():
        if variant in variants:
            old = organs[name]
            radii, centre = np.asarray(old.radii) * factors, np.asarray(old.centre) + shift
            organs[name] = replace(old, radii=_vector(radii), centre=_vector(centre))
    if "missing_kidney" in variants:
        del organs[rare_kidney]
    return organs


def _sample_balls(
    rng: np.random.Generator, organs: dict[str, Ellipsoid], variants: frozenset[str]
) -> dict[str, tuple[Ellipsoid, ...]]:
    """Kidney cysts, which bulge out of the organ, and liver lesions, which lie inside it."""
    balls: dict[str, tuple[Ellipsoid, ...]] = {}
    if "kidney_cysts" in variants:
        name = "right_kidney" if rng.random() < 0.5 else "left_kidney"
        if name in organs:
            balls[name] = _balls_in(rng, organs[name], 0.8, (7.0, 15.0))
    if "liver_lesions" in variants:
        balls["liver"] = _balls_in(rng, organs["liver_right"], 0.6, (6.0, 18.0))
    return balls


def _balls_in(
    rng: np.random.Generator, host: Ellipsoid, depth: float, radius_mm: tuple[float, float]
) -> tuple[Ellipsoid, ...]:
    """One to three balls whose centres lie at `depth` of the host's half axes."""
    balls = []
    for _ in range(int(rng.integers(1, 4))):
        direction = rng.standard_normal(3)
        direction *= depth / np.linalg.norm(direction)
        radius = float(rng.uniform(*radius_mm))
        centre = np.asarray(host.centre) + direction * np.asarray(host.radii)
        balls.append(Ellipsoid(_vector(centre), (radius, radius, radius)))
    return tuple(balls)


def _bounded(rng: np.random.Generator, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Normal numbers without outliers beyond 2.2 deviations: rare shapes come from `RARE`, not from tails."""
    return np.clip(rng.standard_normal(n), -2.2, 2.2)


def _vector(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
