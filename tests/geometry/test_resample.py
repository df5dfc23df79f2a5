"""Sampling one axis: exact where it can be, smooth where it must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsegan.errors import DataError
from medsegan.geometry import Sampling, resample_axis

steps = st.floats(0.2, 4.0) | st.floats(-4.0, -0.2)
starts = st.floats(-3.0, 8.0)


@given(st.integers(0, 2), st.integers(-4, 6), st.integers(1, 12), st.sampled_from([1.0, -1.0]))
def test_whole_steps_copy_bit_by_bit_and_fill_outside(axis, start, count, step):
    array = np.random.default_rng(1).normal(size=(5, 6, 7)).astype(np.float32)
    result = resample_axis(array, axis, Sampling(start, step, count), -7.5)
    source, moved = np.moveaxis(array, axis, 0), np.moveaxis(result, axis, 0)
    for sample in range(count):
        index = int(start + step * sample)
        expected = source[index] if 0 <= index < len(source) else np.full_like(source[0], -7.5)
        assert np.array_equal(moved[sample], expected)
    assert result.dtype == np.float32


@given(starts, steps, st.integers(1, 20))
def test_a_constant_stays_constant(start, step, count):
    result = resample_axis(np.full((3, 9), 4.0), 1, Sampling(start, step, count), None)
    np.testing.assert_allclose(result, 4.0, rtol=1e-12)


@given(st.floats(0.0, 3.0), st.floats(0.1, 1.0))
def test_a_ramp_is_interpolated_exactly_where_nothing_gets_coarser(start, step):
    ramp = np.arange(12.0)
    sampling = Sampling(start, step, 8)
    result = resample_axis(ramp, 0, sampling, None)
    np.testing.assert_allclose(result, sampling.positions, atol=1e-9)


def test_a_coarser_axis_averages_instead_of_picking():
    stripes = np.tile([0.0, 1.0], 50)
    result = resample_axis(stripes, 0, Sampling(2.0, 4.0, 20), None)
    # Picking every fourth would return only 0; the first sample still feels the edge that is continued.
    np.testing.assert_allclose(result[1:], 0.5, atol=1e-12)


def test_a_finer_axis_keeps_the_samples_that_it_hits():
    values = np.random.default_rng(0).normal(size=9)
    result = resample_axis(values, 0, Sampling(0.0, 0.25, 33), None)
    assert np.array_equal(result[::4], values)


def test_outside_begins_at_the_outer_face():
    values = np.array([10.0, 20.0])
    result = resample_axis(values, 0, Sampling(-0.75, 0.25, 12), -1.0)
    assert result[0] == -1.0  # -0.75
    assert result[1] == 10.0  # -0.5, on the face
    assert result[8] == 20.0  # 1.25
    assert result[9] == 20.0  # 1.5, on the face
    assert result[10] == -1.0  # 1.75


def test_far_outside_without_fill_is_the_edge_even_with_a_wide_filter():
    values = np.array([1.0, 5.0, 9.0, 13.0])
    result = resample_axis(values, 0, Sampling(-100.0, 40.0, 6), None)
    np.testing.assert_allclose(result[[0, -1]], [1.0, 13.0], rtol=1e-12)


@given(st.floats(-2.0, 2.0), st.floats(1.0, 3.0))
def test_the_inverse_takes_samples_back_to_their_place(start, step):
    sampling = Sampling(start, step, 10)
    inverse = sampling.inverse(25)
    np.testing.assert_allclose(sampling.start + sampling.step * inverse.positions, np.arange(25), atol=1e-9)


@pytest.mark.parametrize("step", [0.5, 1.5, 3.0])
def test_down_and_up_again_keeps_a_smooth_curve(step):
    x = np.arange(60.0)
    curve = np.sin(x / 12)
    sampling = Sampling((step - 1) / 2, step, int(60 / step))
    back = resample_axis(resample_axis(curve, 0, sampling, None), 0, sampling.inverse(60), None)
    assert np.abs(back - curve)[6:-6].max() < 0.05


def test_integers_become_float32():
    assert resample_axis(np.arange(4, dtype=np.int16), 0, Sampling(0.5, 1.0, 3), None).tolist() == [0.5, 1.5, 2.5]
    assert resample_axis(np.arange(4, dtype=np.int16), 0, Sampling(0.0, 1.0, 3), None).dtype == np.float32


def test_sampling_json_is_exact():
    sampling = Sampling(0.1 + 0.2, 1 / 3, 7)
    assert Sampling.from_json(sampling.to_json()) == sampling


@pytest.mark.parametrize(("start", "step", "count"), [(float("nan"), 1.0, 3), (0.0, 0.0, 3), (0.0, 1.0, 0)])
def test_senseless_samplings_are_refused(start, step, count):
    with pytest.raises(DataError, match="sampling"):
        Sampling(start, step, count)


def test_an_absent_axis_is_refused():
    with pytest.raises(DataError, match="axis 2"):
        resample_axis(np.zeros((2, 3)), 2, Sampling(0.0, 1.0, 2), None)
