"""What is the same in two volumes with different headers: hashes of their voxels, and a small picture."""

import hashlib

import numpy as np

from ...geometry import Grid, reorientation_to
from ...shapes import Array, FloatArray

_CODES = "RAS"
_SIDE = 16


def voxel_digests(array: Array, grid: Grid) -> frozenset[str]:
    """Hashes of the voxels, as they are stored and as they lie in the patient.

    Two volumes share one if the same voxels have another header, or are stored in another order of axes.

    Args:
        array: (I, J, K), integers or floats; equal numbers of different types count as equal.
        grid: where they lie.
    """
    turned = reorientation_to(grid, _CODES).apply(array)
    return frozenset((f"stored/{_digest(array)}", f"placed/{_digest(turned)}"))


def _digest(array: Array) -> str:
    """Slice by slice, so that no second volume is held."""
    digest = hashlib.sha256(repr(array.shape).encode())
    for index in range(array.shape[2]):
        digest.update(np.ascontiguousarray(array[:, :, index], dtype="<f4").tobytes())
    return digest.hexdigest()


def small_picture(array: Array) -> FloatArray:
    """(16, 16) float32, a picture coarse enough to compare with others of another size.

    Args:
        array: (I, J, 1) one slice.
    """
    plane = array[:, :, 0].astype(np.float32)
    bands = [np.linspace(0, n, min(n, _SIDE) + 1).astype(int)[:-1] for n in plane.shape]
    sums = np.add.reduceat(np.add.reduceat(plane, bands[0], axis=0), bands[1], axis=1)
    counts = np.outer(*(np.diff(np.append(band, n)) for band, n in zip(bands, plane.shape, strict=True)))
    means = sums / counts
    repeats = [-(-_SIDE // n) for n in means.shape]
    return np.repeat(np.repeat(means, repeats[0], axis=0), repeats[1], axis=1)[:_SIDE, :_SIDE].astype(np.float32)
