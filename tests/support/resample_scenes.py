"""Made-up volumes and affines for the tests of resampling."""

import sys

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

IDENTITY = np.eye(3, 4)


def resample_plainly(*arguments, **options):
    """What `resample3d` gives where nothing is compiled."""
    module = sys.modules["medsegan.voxels.resample3d"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.library, "call", lambda *_: False)
        return module.resample3d(*arguments, **options)


def noise(shape, dtype="float32", seed=0):
    """Values from about 0 to 200 of any type; for bool about as many of each."""
    values = np.random.default_rng(seed).normal(100, 25, shape)
    return values > 100 if dtype == "bool" else np.clip(values, 0, 127).astype(dtype)


def centred(linear, n, m):
    """The affine with this linear part that puts the middle of the target onto the middle of the source."""
    linear = np.asarray(linear, dtype=float)
    return np.c_[linear, (np.array(n) - 1) / 2 - linear @ ((np.array(m) - 1) / 2)]


def turned(angles_deg=(4.0, -7.0, 11.0), scale=(1.05, 0.93, 0.97)):
    """The linear part of a rotation and a change of spacing."""
    return Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix() @ np.diag(scale)


def positions_of(matrix, shape):
    """(3, I, J, K) source indices of all target voxels."""
    return (
        np.einsum("ij,jabc->iabc", matrix[:, :3], np.indices(shape, dtype=float)) + matrix[:, 3, None, None, None]
    )


def is_between_centres(matrix, shape, n):
    """Mask of the target voxels that lie between voxel centres of the source: where scipy's modes agree."""
    positions = positions_of(matrix, shape)
    last = np.array(n).reshape(3, 1, 1, 1) - 1
    return ((positions >= 0) & (positions <= last)).all(axis=0)


shapes = st.tuples(*[st.integers(1, 14)] * 3)


@st.composite
def affines(draw, n, m):
    """Rotations, rescalings in any order of axes, flips, shears, and matrices that lose a dimension."""
    numbers = st.floats(-2.5, 2.5).map(lambda x: round(x, 3))
    kind = draw(st.sampled_from(["turned", "rescaled", "flipped", "any", "flat"]))
    if kind == "turned":
        linear = turned(
            [draw(st.floats(-180, 180)) for _ in range(3)], [draw(st.floats(0.3, 2.0)) for _ in range(3)]
        )
    elif kind in ("rescaled", "flipped"):
        factors = st.sampled_from([-1.0, 1.0]) if kind == "flipped" else numbers
        linear = np.diag([draw(factors) for _ in range(3)])[list(draw(st.permutations(range(3))))]
    else:
        linear = np.array([[draw(numbers) for _ in range(3)] for _ in range(3)])
        if kind == "flat":
            linear[draw(st.integers(0, 2))] = 0.0
            linear[:, draw(st.integers(0, 2))] = 0.0
    matrix = centred(linear, n, m)
    if kind == "flipped":
        matrix[:, 3] = np.round(matrix[:, 3])
    matrix[:, 3] += [draw(st.sampled_from([0.0, 0.5, -3.0, 1.25])) for _ in range(3)]
    return matrix


@st.composite
def volumes(draw, n, dtypes, seeds=None):
    """Noise in any memory order, contiguous, reversed or with gaps."""
    dtype = draw(st.sampled_from(dtypes))
    step = draw(st.sampled_from([1, 1, 2]))
    axes = draw(st.permutations(range(3)))
    base = noise([n[axis] * step for axis in axes], dtype, draw(seeds or st.integers(0, 99)))
    flips = [slice(None, None, -step if draw(st.booleans()) else step) for _ in range(3)]
    return base[tuple(flips)].transpose(np.argsort(axes))
