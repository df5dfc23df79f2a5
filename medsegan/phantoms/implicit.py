"""Implicit shapes: scalar fields in millimetres, negative inside, evaluated on the voxels of a grid."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..shapes import Shape3

Field = npt.NDArray[np.float32]
Box = tuple[slice, slice, slice]
Vector = tuple[float, float, float]

_SPLINE_RMS = (151.0 / 315.0) ** 1.5
"""Root mean square of a 3D cubic B-spline sum with unit normal coefficients: sqrt(151/315) per axis."""


@dataclass(frozen=True, eq=False)
class Points:
    """Where the voxels lie in the body: x to the patient's right, y to the front, z to the head.

    Args:
        x: (I, J, K) float32 mm; y and z likewise. They include the smooth warp of the case.
        voxel_from_body: (4, 4) affine from body mm to voxel indices of the whole grid, without the warp.
        spacing_mm: voxel spacing along I, J, K.
        slack_mm: how far the warp may move a point; bounding boxes are widened by it.
    """

    x: Field
    y: Field
    z: Field
    voxel_from_body: npt.NDArray[np.float64]
    spacing_mm: Vector
    slack_mm: float

    @property
    def shape(self) -> Shape3:
        """Number of voxels along I, J, K."""
        i, j, k = self.x.shape
        return i, j, k

    def box(self, centre: npt.ArrayLike, reach_mm: npt.ArrayLike) -> Box:
        """Slices of the voxels that can lie within `centre` plus or minus `reach_mm` (both body mm, length 3)."""
        low = np.asarray(centre) - np.asarray(reach_mm) - self.slack_mm
        high = np.asarray(centre) + np.asarray(reach_mm) + self.slack_mm
        corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
        voxels = corners @ self.voxel_from_body[:3, :3].T + self.voxel_from_body[:3, 3]
        first = np.clip(np.floor(voxels.min(axis=0)), 0, self.shape).astype(int)
        last = np.clip(np.ceil(voxels.max(axis=0)) + 1, 0, self.shape).astype(int)
        return slice(first[0], last[0]), slice(first[1], last[1]), slice(first[2], last[2])

    def crop(self, box: Box) -> "Points":
        """The points of a box, as views."""
        return Points(self.x[box], self.y[box], self.z[box], self.voxel_from_body, self.spacing_mm, self.slack_mm)


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """A superellipsoid with a position in the body.

    Args:
        centre: body mm.
        radii: half axes along its own x, y, z, mm.
        tilt_deg: rotations about the body's x, y and z axis, applied in this order.
        power: exponent; 2 is an ellipsoid, larger values are boxier.
        bow_mm: how far the ends (own z) are bent towards negative own x; makes beans of ellipsoids.
    """

    centre: Vector
    radii: Vector
    tilt_deg: Vector = (0.0, 0.0, 0.0)
    power: float = 2.0
    bow_mm: float = 0.0

    @property
    def reach_mm(self) -> npt.NDArray[np.float64]:
        """(3,) half extent of an axis-aligned box around it, the bow included."""
        own = np.abs(rotation(self.tilt_deg)) @ (np.asarray(self.radii) + np.array([abs(self.bow_mm), 0.0, 0.0]))
        return np.minimum(own, np.linalg.norm(self.radii) + abs(self.bow_mm))

    def field(self, points: Points) -> Field:
        """(I, J, K) about the distance to the surface in mm, negative inside; exact only on the surface."""
        to_own = rotation(self.tilt_deg).T.astype(np.float32)
        dx, dy, dz = (
            axis - np.float32(c) for axis, c in zip((points.x, points.y, points.z), self.centre, strict=True)
        )
        u, v, w = (to_own[n, 0] * dx + to_own[n, 1] * dy + to_own[n, 2] * dz for n in range(3))
        w /= np.float32(self.radii[2])
        if self.bow_mm:
            u += np.float32(self.bow_mm) * (w * w - np.float32(1 / 3))
        u /= np.float32(self.radii[0])
        v /= np.float32(self.radii[1])
        if self.power == 2.0:
            norm = np.sqrt(u * u + v * v + w * w)
        else:
            power = np.float32(self.power)
            norm = (np.abs(u) ** power + np.abs(v) ** power + np.abs(w) ** power) ** (np.float32(1) / power)
        norm -= np.float32(1)
        norm *= np.float32(np.prod(self.radii) ** (1 / 3))
        return norm


def rotation(degrees: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """(3, 3) rotation by angles about x, then y, then z, right-handed."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def smooth_minimum(first: Field, second: Field, blend_mm: float) -> Field:
    """The union of two shapes with a rounded seam about `blend_mm` wide (polynomial smooth minimum)."""
    blend = np.float32(blend_mm)
    overlap = np.clip(blend - np.abs(first - second), 0, None)
    return np.minimum(first, second) - overlap * overlap / (4 * blend)


def smooth_noise(rng: np.random.Generator, shape: Shape3, knot_mm: float, spacing_mm: Vector) -> Field:
    """(I, J, K) smooth random field of mean 0 and standard deviation 1.

    Args:
        rng: source of the coefficients; as many are drawn as the field has knots.
        shape: voxels of the field.
        knot_mm: distance of the cubic B-spline's knots: the size of its blobs.
        spacing_mm: voxel spacing along I, J, K.
    """
    bases = [_spline_basis(n, mm / knot_mm, rng.random()) for n, mm in zip(shape, spacing_mm, strict=True)]
    knots = [basis.shape[1] for basis in bases]
    field = rng.standard_normal(knots, dtype=np.float32) / np.float32(_SPLINE_RMS)
    field = np.tensordot(bases[2], field, axes=(1, 2))
    field = np.tensordot(bases[1], field, axes=(1, 2))
    field = np.tensordot(bases[0], field, axes=(1, 2))
    return np.asarray(field, dtype=np.float32)


def _spline_basis(n_samples: int, step: float, phase: float) -> Field:
    """(n_samples, n_knots) weights of the uniform cubic B-spline at positions phase + step * i."""
    position = phase + step * np.arange(n_samples, dtype=np.float32)
    n_knots = int(position[-1]) + 4
    distance = np.abs(position[:, None] - (np.arange(n_knots, dtype=np.float32)[None, :] - 1))
    inner = 2 / 3 - distance**2 + distance**3 / 2
    outer = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, inner, outer).astype(np.float32)
