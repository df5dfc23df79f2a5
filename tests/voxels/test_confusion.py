"""Counts of pairs of classes against counting one voxel at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medsegan.errors import DataError
from medsegan.voxels import confusion, confusion_of_labels
from medsegan.voxels.confusion import _plain, _plain_of_labels
from medsegan.voxels.labels import LabelPair

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")


def one_by_one(prediction, reference, n_classes):
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    for place in np.ndindex(prediction.shape):
        counts[int(reference[place]), int(prediction[place])] += 1
    return counts


def runs(n_voxels, n_classes, dtype="uint8", seed=0):
    """Two volumes as they are in practice: long runs, with borders in odd places."""
    rng = np.random.default_rng(seed)
    both = []
    for _ in range(2):
        lengths = rng.integers(1, 300, n_voxels // 50)
        both.append(np.repeat(rng.integers(0, n_classes, lengths.size), lengths)[:n_voxels].astype(dtype))
    return both


@st.composite
def pairs(draw):
    shape = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    n_classes = draw(st.integers(1, 7))
    high = st.integers(0, n_classes - 1)
    dtypes = draw(st.tuples(*[st.sampled_from(DTYPES[1:])] * 2))
    order = draw(st.permutations(range(len(shape))))
    one, other = (draw(arrays(dtype, shape, elements=high)).transpose(order) for dtype in dtypes)
    return one, other, n_classes


def test_rows_are_the_reference():
    prediction, reference = np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2])
    assert confusion(prediction, reference, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]


@given(pairs())
def test_equals_counting_one_by_one(case):
    prediction, reference, n_classes = case
    expected = one_by_one(prediction, reference, n_classes)
    np.testing.assert_array_equal(confusion(*case), expected)
    np.testing.assert_array_equal(_plain(LabelPair.of(prediction, reference), n_classes), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_runs_of_every_type(dtype):
    prediction, reference = runs(200_003, 2, dtype)
    expected = np.bincount(reference.astype(int) * 2 + prediction.astype(int), minlength=4).reshape(2, 2)
    np.testing.assert_array_equal(confusion(prediction, reference, 2), expected)


def test_threads_change_nothing():
    prediction, reference = runs(700_001, 5)
    expected = confusion(prediction, reference, 5, threads=1)
    assert expected.sum() == 700_001
    for threads in (2, 3, 8):
        np.testing.assert_array_equal(confusion(prediction, reference, 5, threads=threads), expected)


def test_one_order_in_memory_is_as_good_as_another():
    rng = np.random.default_rng(0)
    prediction, reference = rng.integers(0, 4, (2, 6, 7, 70)).astype(np.uint8)
    expected = confusion(prediction, reference, 4)
    np.testing.assert_array_equal(confusion(np.asfortranarray(prediction), reference, 4), expected)
    np.testing.assert_array_equal(confusion(prediction[:, ::-1], reference[:, ::-1], 4), expected)


@given(pairs(), st.lists(st.integers(-3, 7), unique=True, max_size=4))
def test_values_that_are_not_listed_are_row_zero(case, labels):
    prediction, reference, _ = case
    rows = {label: row for row, label in enumerate(labels, start=1)}
    expected = np.zeros((len(labels) + 1,) * 2, dtype=np.int64)
    for place in np.ndindex(prediction.shape):
        expected[rows.get(int(reference[place]), 0), rows.get(int(prediction[place]), 0)] += 1
    np.testing.assert_array_equal(confusion_of_labels(prediction, reference, labels), expected)
    np.testing.assert_array_equal(_plain_of_labels(LabelPair.of(prediction, reference), labels), expected)


@pytest.mark.parametrize("labels", [[2035, 14175], [-5, 70_000], [300, 2**40]])
def test_large_and_negative_labels(labels):
    values = np.array([0, *labels])
    prediction, reference = (values[volume] for volume in runs(5000, 3, "int64"))
    expected = confusion(*runs(5000, 3), 3)
    np.testing.assert_array_equal(confusion_of_labels(prediction, reference, labels), expected)


@pytest.mark.parametrize(
    ("name", "place", "value"), [("prediction", 0, 3), ("reference", 150_000, 200), ("prediction", 199_999, -1)]
)
def test_a_value_without_a_class_is_named(name, place, value):
    volumes = dict(zip(("prediction", "reference"), runs(200_000, 3, "int16"), strict=True))
    volumes[name][place] = value
    with pytest.raises(DataError, match=rf"the {name} holds the value {value}, .* 0 to 2"):
        confusion(*volumes.values(), 3)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_of_several_bad_values_the_first_is_named(threads):
    prediction, reference = runs(400_000, 3, "int32")
    prediction[390_000], reference[210_000], prediction[210_001] = 9, 8, 7
    with pytest.raises(DataError, match="the reference holds the value 8"):
        confusion(prediction, reference, 3, threads=threads)


def test_refuses_what_cannot_be_counted():
    labels = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(DataError, match=r"\(2, 3\).*\(3, 2\)"):
        confusion(labels, labels.T, 2)
    with pytest.raises(DataError, match="reference must hold integer labels, got float32"):
        confusion(labels, labels.astype(np.float32), 2)
    with pytest.raises(DataError, match=str(2**64 - 1)):
        confusion(labels, np.full((2, 3), 2**64 - 1, dtype=np.uint64), 2)
    for n_classes in (0, 4097):
        with pytest.raises(ValueError, match=f"got {n_classes}"):
            confusion(labels, labels, n_classes)
    with pytest.raises(ValueError, match="distinct"):
        confusion_of_labels(labels, labels, [1, 1])
