"""Distances to the outside of a mask, compiled or plain, against scipy and against their definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from medsegan.voxels import distance_transform, library, nearest_outside

SPACINGS = (1.0, 2.0, 3.0, 0.7, 0.75, 0.9765625, 1.25, 2.5, 5.0, 0.3333333333333333)


def scipys(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> np.ndarray:
    return ndimage.distance_transform_edt(mask, sampling=spacing_mm).astype(np.float32)


def random_mask(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Noise of any density, smooth blobs, or a few points outside; never without a voxel outside."""
    kind = rng.integers(3)
    if kind == 0:
        mask = rng.random(shape) < rng.random()
    elif kind == 1:
        mask = ndimage.gaussian_filter(rng.normal(size=shape), 2.0) > 0
    else:
        mask = np.ones(shape, bool)
    mask.flat[rng.integers(mask.size, size=rng.integers(1, 5))] = False
    return mask


def require_compiled() -> None:
    if library.load()[0] is None:
        pytest.skip(f"no compiled voxel operators: {library.load()[1]}")


@pytest.mark.parametrize("spacing", ["isotropic", "integer", "real", "multiples"])
def test_it_is_exactly_scipys_on_200_random_volumes(spacing):
    rng = np.random.default_rng(["isotropic", "integer", "real", "multiples"].index(spacing))
    for _ in range(50):
        shape = tuple(rng.integers(1, 44, size=3))
        spacing_mm = {
            "isotropic": (rng.choice(SPACINGS),) * 3,
            "integer": tuple(rng.integers(1, 7, size=3).astype(float)),
            "real": tuple(rng.uniform(0.2, 6.0, size=3)),
            "multiples": tuple(rng.choice(SPACINGS) * rng.integers(1, 5, size=3)),
        }[spacing]
        mask = random_mask(rng, shape)
        np.testing.assert_array_equal(
            distance_transform(mask, spacing_mm), scipys(mask, spacing_mm), err_msg=f"{shape} {spacing_mm}"
        )


@given(
    mask=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=3, max_side=37)),
    spacing_mm=st.tuples(*[st.sampled_from(SPACINGS)] * 3),
    order=st.permutations([0, 1, 2]),
    flip=st.booleans(),
)
def test_it_is_scipys_on_any_shape_in_any_order_of_memory(mask, spacing_mm, order, flip):
    spacing_mm = spacing_mm[: mask.ndim]
    mask = mask.transpose([axis for axis in order if axis < mask.ndim])[:: -1 if flip else 1]
    if mask.all():
        mask = mask.copy()
        mask.flat[0] = False
    before = mask.copy()
    np.testing.assert_array_equal(distance_transform(mask, spacing_mm), scipys(mask, spacing_mm))
    np.testing.assert_array_equal(mask, before)


def test_the_result_lies_in_memory_as_the_mask_does():
    mask = np.asfortranarray(np.ones((4, 5, 6), bool))
    mask[1, 2, 3] = False
    distances = distance_transform(mask, (1.0, 2.0, 3.0))
    assert distances.flags.f_contiguous
    assert distances.dtype == np.float32
    assert distances[3, 2, 5] == np.float32(np.sqrt(4.0 + 36.0))


@pytest.mark.parametrize("shape", [(2, 3, 9, 7, 5), (3, 11, 6)])
def test_axes_in_front_are_a_batch(shape):
    rng = np.random.default_rng(0)
    spacing_mm = (0.8, 1.5, 2.0)[: 3 if len(shape) == 5 else 2]
    masks = rng.random(shape) < 0.9
    n_batch = len(shape) - len(spacing_mm)
    together, indices = nearest_outside(masks, spacing_mm)
    np.testing.assert_array_equal(distance_transform(masks, spacing_mm), together)
    for item in np.ndindex(shape[:n_batch]):
        np.testing.assert_array_equal(together[item], scipys(masks[item], spacing_mm))
        assert not masks[item].flat[indices[item]].any()


def test_without_a_voxel_outside_distances_are_infinite():
    masks = np.ones((3, 4, 5), bool)
    masks[1, 0, 0] = False
    distances, indices = nearest_outside(masks, (1.0, 1.0))
    assert np.isinf(distances[[0, 2]]).all()
    assert (indices[[0, 2]] == -1).all()
    assert np.isfinite(distances[1]).all()
    assert np.isinf(distance_transform(masks, (1.0, 1.0))[0]).all()


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0)])
def test_empty_arrays_give_empty_results(shape):
    distances, indices = nearest_outside(np.ones(shape, bool), (1.0, 1.0))
    assert distances.shape == indices.shape == shape
    assert distance_transform(np.ones(shape, bool), (1.0, 1.0)).shape == shape


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 1)])
def test_one_voxel(shape, value):
    distance = distance_transform(np.full(shape, value), (2.0,) * len(shape))
    assert distance.item() == (np.inf if value else 0)


def test_other_types_are_in_the_mask_where_they_are_not_zero():
    rng = np.random.default_rng(0)
    labels = rng.integers(-1, 2, size=(9, 8, 7))
    expected = scipys(labels != 0, (1.0, 1.0, 1.0))
    for dtype in (np.int8, np.int64, np.float32, np.uint16):
        np.testing.assert_array_equal(distance_transform(labels.astype(dtype), (1.0, 1.0, 1.0)), expected)
    with_nan = np.where(labels == 1, np.nan, labels)
    np.testing.assert_array_equal(distance_transform(with_nan, (1.0, 1.0, 1.0)), expected)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.7, 1.1, 2.5)])
def test_results_do_not_depend_on_the_number_of_threads(spacing_mm):
    rng = np.random.default_rng(0)
    for shape in ((2, 30, 21, 19), (70, 33, 40), (1, 90, 100)):
        mask = rng.random(shape) < 0.97
        one = nearest_outside(mask, spacing_mm, threads=1)
        for threads in (2, 3, 7):
            several = nearest_outside(mask, spacing_mm, threads=threads)
            np.testing.assert_array_equal(one[0], several[0])
            np.testing.assert_array_equal(one[1], several[1])


@given(
    mask=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=3, max_side=21)),
    spacing_mm=st.tuples(*[st.sampled_from(SPACINGS)] * 3),
)
def test_the_index_leads_to_a_voxel_outside_at_that_distance(mask, spacing_mm):
    spacing_mm = spacing_mm[: mask.ndim]
    distances, indices = nearest_outside(mask, spacing_mm)
    if mask.all():
        assert (indices == -1).all()
        return
    assert not mask.flat[indices].any()
    steps = np.array(np.unravel_index(indices, mask.shape)) - np.indices(mask.shape)
    there = np.sqrt((np.square(np.moveaxis(steps, 0, -1) * spacing_mm)).sum(-1))
    np.testing.assert_allclose(distances, there, rtol=1e-6)


@given(
    mask=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=3, max_side=9)),
    spacing_mm=st.tuples(*[st.sampled_from((0.7, 1.4, 2.1))] * 3),
)
def test_of_several_at_the_same_distance_the_smallest_index_is_taken(mask, spacing_mm):
    require_compiled()
    spacing_mm = (0.7, *spacing_mm[1 : mask.ndim])
    places = np.argwhere(~mask)
    if len(places) == 0:
        return
    multiples = np.round(np.divide(spacing_mm, 0.7)).astype(int)
    voxels = np.moveaxis(np.indices(mask.shape), 0, -1)
    squared = np.square((voxels[..., None, :] - places) * multiples).sum(-1)
    expected = np.flatnonzero(~mask)[squared.argmin(-1)]
    np.testing.assert_array_equal(nearest_outside(mask, spacing_mm)[1], expected)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0), (0.7, 1.3)])
@pytest.mark.parametrize("shape", [(2, 70_000), (70_000, 2)])
def test_axes_whose_squares_exceed_32_bits(shape, spacing_mm):
    mask = np.ones(shape, bool)
    mask[0, 0] = False
    np.testing.assert_array_equal(distance_transform(mask, spacing_mm), scipys(mask, spacing_mm))


def test_values_half_way_between_two_floats_are_rounded_as_scipys():
    # Many multiples of a spacing that comes from a header in single precision, of 24 bits, have 25 bits.
    rng = np.random.default_rng(0)
    mask = np.ones((30, 30, 30), bool)
    mask[0, 0, 0] = False
    for _ in range(10):
        spacing_mm = tuple(float(np.float32(s)) for s in rng.uniform(0.3, 3.0, size=3))
        np.testing.assert_array_equal(distance_transform(mask, spacing_mm), scipys(mask, spacing_mm))
        isotropic = (spacing_mm[0],) * 3
        np.testing.assert_array_equal(distance_transform(mask, isotropic), scipys(mask, isotropic))


@pytest.mark.parametrize("operator", [distance_transform, nearest_outside])
@pytest.mark.parametrize(
    "spacing_mm", [(1.0,), (1.0, 1.0, 1.0), (1.0,) * 4, (0.0, 1.0), (1.0, -2.0), (np.nan, 1.0)]
)
def test_impossible_spacings_are_refused(operator, spacing_mm):
    with pytest.raises(ValueError, match="spacings"):
        operator(np.ones((3, 4), bool), spacing_mm)
