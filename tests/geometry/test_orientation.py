"""Axis letters and reorientation: all 48 orders, any rotation."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from medsegan.errors import DataError
from medsegan.geometry import Grid, Reorientation, axis_codes, reorientation_to

ALL_CODES = [
    "".join(pair[0 if positive else 1] for pair, positive in zip(order, signs, strict=True))
    for order in permutations(("RL", "AP", "SI"))
    for signs in product((True, False), repeat=3)
]


def random_grid(seed: int, shape: tuple[int, int, int] = (3, 4, 5)) -> Grid:
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(random_state=seed).as_matrix() * rng.uniform(0.5, 5, 3)
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    return Grid(shape, affine)


def straight_grid(codes: str) -> Grid:
    """Built from the meaning of the letters alone."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, letter in enumerate(codes):
        world = next(index for index, pair in enumerate(("RL", "AP", "SI")) if letter in pair)
        affine[world, axis] = (1 if letter in "RAS" else -1) * (axis + 1.5)
    return Grid((3, 4, 5), affine)


def test_there_are_48_codes():
    assert len(set(ALL_CODES)) == 48


@pytest.mark.parametrize("codes", ALL_CODES)
def test_codes_of_straight_grids_are_their_letters(codes):
    assert axis_codes(straight_grid(codes)) == codes


@pytest.mark.parametrize("codes", ALL_CODES)
def test_reorientation_reaches_any_code_and_keeps_every_voxel_in_place(codes):
    grid = random_grid(7)
    change = reorientation_to(grid, codes)
    moved = change.grid(grid)
    assert axis_codes(moved) == codes
    # Every voxel carries its own world position: it must be the position that the new grid gives it.
    indices = np.stack([*np.indices(grid.shape), np.ones(grid.shape)], axis=-1)
    world = change.apply(indices @ grid.world_from_voxel.T)
    new_indices = np.stack([*np.indices(moved.shape), np.ones(moved.shape)], axis=-1)
    np.testing.assert_allclose(world, new_indices @ moved.world_from_voxel.T, atol=1e-9)


@given(st.integers(0, 10_000), st.sampled_from(ALL_CODES))
def test_invert_undoes_apply_and_both_are_views(seed, codes):
    grid = random_grid(seed)
    array = np.arange(60).reshape(grid.shape)
    change = reorientation_to(grid, codes)
    assert np.array_equal(change.invert(change.apply(array)), array)
    assert np.shares_memory(change.apply(array), array)


@given(st.integers(0, 10_000))
def test_codes_name_every_world_axis_once_for_any_rotation(seed):
    letters = axis_codes(random_grid(seed))
    assert {next(i for i, pair in enumerate(("RL", "AP", "SI")) if c in pair) for c in letters} == {0, 1, 2}


def test_codes_are_one_to_one_where_two_axes_prefer_the_same_direction():
    # Both of the first two axes lean most towards right; a greedy choice per axis would name R twice.
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0.8, 0.75, 0.0], [-0.6, 0.66, 0.0], [0.0, 0.0, 1.0]])
    letters = axis_codes(Grid((2, 2, 2), affine))
    assert letters == "RAS"


def test_json_round_trip():
    change = reorientation_to(random_grid(3), "SPL")
    assert Reorientation.from_json(change.to_json()) == change


@pytest.mark.parametrize("codes", ["RR", "RAX", "RLS", "", "RASI"])
def test_wrong_codes_are_refused(codes):
    with pytest.raises(DataError):
        reorientation_to(random_grid(0), codes)


def test_wrong_axes_are_refused():
    with pytest.raises(DataError, match="axes"):
        Reorientation((0, 0, 2), (False, False, False))
