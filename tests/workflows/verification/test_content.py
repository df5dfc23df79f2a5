"""The same voxels have a hash in common, however they are stored; others have none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsegan.geometry import Grid, Reorientation
from medsegan.workflows.verification.content import small_picture, voxel_digests

SHAPE = (4, 5, 3)


def volume(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1000, 1000, SHAPE).astype(np.int16)


@given(st.permutations(range(3)), st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_every_order_of_axes_is_the_same_content(axes: list[int], flips: tuple[bool, bool, bool]) -> None:
    grid = Grid(SHAPE, np.diag([1.0, 2, 3, 1]))
    turn = Reorientation((axes[0], axes[1], axes[2]), flips)
    array = volume()
    assert voxel_digests(array, grid) & voxel_digests(turn.apply(array), turn.grid(grid))


@pytest.mark.parametrize("kind", [np.int32, np.float32, np.float64])
def test_neither_header_nor_type_hides_it(kind: type) -> None:
    first, second = Grid(SHAPE, np.eye(4)), Grid(SHAPE, np.diag([-2.0, 3, -4, 1]))
    assert voxel_digests(volume(), first) & voxel_digests(volume().astype(kind), second)


def test_one_voxel_makes_another_content() -> None:
    grid = Grid(SHAPE, np.eye(4))
    other = volume()
    other[1, 2, 1] += 1
    assert not voxel_digests(volume(), grid) & voxel_digests(other, grid)
    flat = Grid((60, 1, 1), np.eye(4))
    assert not voxel_digests(volume(), grid) & voxel_digests(volume().reshape(60, 1, 1), flat)


@pytest.mark.parametrize("shape", [(64, 80, 1), (16, 16, 1), (7, 33, 1), (1, 1, 1)])
def test_a_small_picture_keeps_light_and_dark(shape: tuple[int, int, int]) -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, shape[0])[:, None, None], shape)
    small = small_picture(ramp)
    assert small.shape == (16, 16)
    assert (np.diff(small[:, 0]) >= 0).all()
    assert np.allclose(small, small[:, :1])
