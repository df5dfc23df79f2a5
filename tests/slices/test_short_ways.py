"""What is done slice by slice, in blocks or by shifts is what the plain operators do, to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from medsegan.geometry import Sampling, resample_axis, resample_slices
from medsegan.slices.body import _block_means, _opened, _without_holes

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 14)


def blobs(seed, shape):
    rng = np.random.default_rng(seed)
    return ndimage.uniform_filter(rng.random(shape), 3) > rng.uniform(0.35, 0.6)


@given(seeds, st.tuples(sizes, sizes, sizes), st.floats(0.8, 6.0), st.floats(0.8, 6.0))
def test_an_opening_by_shifts(seed, shape, row_mm, column_mm):
    mask = blobs(seed, shape)
    rows, columns = (max(1, round(4.0 / mm)) for mm in (row_mm, column_mm))
    y, x = np.mgrid[-rows : rows + 1, -columns : columns + 1]
    disc = ((y / rows) ** 2 + (x / columns) ** 2 <= 1.0)[None]
    padded = np.pad(mask, ((0, 0), (rows, rows), (columns, columns)), mode="edge")
    expected = ndimage.binary_opening(padded, disc)[:, rows:-rows, columns:-columns]
    assert np.array_equal(_opened(mask, (1.0, row_mm, column_mm)), expected)


@given(seeds, st.tuples(sizes, sizes))
def test_holes_by_components(seed, shape):
    mask = blobs(seed, shape)
    assert np.array_equal(_without_holes(mask), ndimage.binary_fill_holes(mask))


@pytest.mark.parametrize("order", ["C", "F"])
@given(seeds, st.tuples(sizes, sizes, sizes), st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))
def test_means_of_whole_numbers_are_those_of_floats(order, seed, shape, factors):
    factors = tuple(min(pair) for pair in zip(factors, shape, strict=True))
    array = np.asarray(np.random.default_rng(seed).integers(-32768, 32768, shape), dtype=np.int16, order=order)
    assert np.array_equal(_block_means(array, factors), _block_means(array.astype(np.float32), factors))


@given(
    seeds,
    st.tuples(st.integers(1, 3), sizes, sizes),
    st.tuples(st.floats(-6, 12), st.floats(0.3, 4.0), st.integers(1, 12)),
    st.tuples(st.integers(-4, 12), st.sampled_from([1.0, 2.0, 3.5]), st.integers(1, 12)),
    st.sampled_from([None, -1024.0, 0.3]),
)
def test_rows_and_columns_slice_by_slice(seed, shape, rows, columns, fill):
    by_row, by_column = Sampling(*rows), Sampling(*columns)
    if max(by_row.step, by_column.step) <= 1.0:
        return
    stack = np.random.default_rng(seed).integers(-1024, 3000, shape, dtype=np.int16)
    expected = resample_axis(resample_axis(stack, 1, by_row, fill), 2, by_column, fill)
    for array in (stack, np.asfortranarray(stack), stack[:, ::-1].copy()[:, ::-1], stack.astype(np.float32)):
        assert np.array_equal(resample_slices(array, by_row, by_column, fill), expected)
