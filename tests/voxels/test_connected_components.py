"""Components and largest parts against scipy, on random volumes in every order of memory."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy import ndimage

from medsegan.errors import DataError
from medsegan.voxels import NEIGHBOURS, connected_components, keep_largest
from medsegan.voxels.connected_components import _plain, _plain_keep_largest

DTYPES = (np.bool_, np.uint8, np.int8, np.int16, np.uint16, np.int32, np.int64, np.uint64)
EVERY_CONNECTIVITY = [(ndim, number) for ndim, numbers in NEIGHBOURS.items() for number in numbers]


def structure(ndim: int, connectivity: int) -> np.ndarray:
    """The neighbourhood as scipy writes it."""
    return ndimage.generate_binary_structure(ndim, NEIGHBOURS[ndim][connectivity])


def random_labels(shape: tuple[int, ...], seed: int, n_classes: int = 3, dtype: type = np.uint8) -> np.ndarray:
    """Blobs of several sizes of some classes, with specks between them."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.random(shape), rng.choice([0.0, 0.6, 1.5]))
    labels = np.digitize(field, np.quantile(field, np.sort(rng.random(n_classes)))) if field.size else field
    return labels.astype(dtype)


def assert_same(ours: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...]) -> None:
    for left, right in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(left, right)
        assert left.dtype == right.dtype


def test_200_random_masks_are_numbered_as_scipy_numbers_them() -> None:
    rng = np.random.default_rng(0)
    for seed in range(200):
        shape = tuple(int(n) for n in rng.integers(1, 16, 3))
        mask = rng.random(shape) < rng.random()
        given = np.asfortranarray(mask) if seed % 2 else mask
        for connectivity in NEIGHBOURS[3]:
            expected, count = ndimage.label(mask, structure(3, connectivity))
            components, sizes, classes = connected_components(given, connectivity)
            assert components.dtype == np.int32
            np.testing.assert_array_equal(components, expected)
            np.testing.assert_array_equal(sizes, np.bincount(expected.ravel(), minlength=count + 1)[1:])
            assert classes.tolist() == [True] * count


@hypothesis.settings(max_examples=60)
@hypothesis.given(data=st.data())
def test_classes_are_parted_as_scipy_parts_them_one_by_one(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(0, 9), min_size=2, max_size=3)))
    labels = random_labels(shape, data.draw(st.integers(0, 999)), dtype=data.draw(st.sampled_from(DTYPES)))
    labels = labels.transpose(data.draw(st.permutations(range(labels.ndim))))
    if data.draw(st.booleans()):
        labels = labels[..., ::-1]
    connectivity = data.draw(st.sampled_from(list(NEIGHBOURS[labels.ndim])))
    found = connected_components(labels, connectivity)
    assert_same(found, _plain(labels, connectivity))
    components, sizes, classes = found
    firsts = [int(np.flatnonzero(components.ravel() == number)[0]) for number in range(1, len(sizes) + 1)]
    assert firsts == sorted(firsts)
    for value in np.unique(labels[labels != 0]):
        parts, count = ndimage.label(np.ascontiguousarray(labels == value), structure(labels.ndim, connectivity))
        numbers = np.flatnonzero(classes == value) + 1
        assert len(numbers) == count
        np.testing.assert_array_equal(np.append(0, numbers)[parts], np.where(labels == value, components, 0))


@pytest.mark.parametrize(("ndim", "connectivity"), EVERY_CONNECTIVITY)
@pytest.mark.parametrize("order", ["C", "F"])
def test_the_largest_of_each_class_stays(ndim: int, connectivity: int, order: str) -> None:
    for seed in range(12):
        labels = np.asarray(random_labels((11, 9, 12)[:ndim], seed, dtype=np.int16), order=order)
        kept = keep_largest(labels, connectivity)
        assert kept.dtype == labels.dtype
        for value in np.unique(labels[labels != 0]):
            parts, count = ndimage.label(np.ascontiguousarray(labels == value), structure(ndim, connectivity))
            sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
            np.testing.assert_array_equal(kept == value, parts == 1 + int(sizes.argmax()))  # argmax: the first
        for classes in ([], [1], [2, 3], [1, 70_000, -5]):
            expected = np.where(np.isin(labels, classes), kept, labels)
            np.testing.assert_array_equal(keep_largest(labels, connectivity, classes), expected)
            np.testing.assert_array_equal(_plain_keep_largest(labels, connectivity, classes), expected)


def test_of_equal_parts_the_first_in_raster_order_stays_whatever_the_memory() -> None:
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[0, 3, 1] = labels[2, 0, 0] = 1  # in Fortran order the second comes first
    for given in (labels, np.asfortranarray(labels)):
        kept = keep_largest(given, 26)
        assert np.argwhere(kept).tolist() == [[0, 3, 1]]


def test_faces_edges_and_corners() -> None:
    labels = np.zeros((2, 3, 3), np.uint8)
    labels[0, 0, 0] = labels[0, 0, 1] = labels[1, 1, 1] = labels[0, 2, 2] = 1
    counts = {number: len(connected_components(labels, number)[1]) for number in NEIGHBOURS[3]}
    assert counts == {6: 3, 18: 2, 26: 1}


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_volumes_of_several_slabs_do_not_depend_on_the_threads(connectivity: int) -> None:
    """Noise near the percolation threshold, whose parts wind through all slabs."""
    rng = np.random.default_rng(1)
    labels = (rng.random((9, 512, 512)) < {6: 0.32, 18: 0.14, 26: 0.1}[connectivity]).astype(np.uint8)
    labels[:, :, ::7] *= 2
    expected = _plain(labels, connectivity)
    assert expected[0][0].max() < expected[0].max()
    for threads in (1, 2, 5):
        assert_same(connected_components(labels, connectivity, threads=threads), expected)
    along = labels.transpose(1, 2, 0)
    assert_same(connected_components(along, connectivity, threads=3), _plain(along, connectivity))
    kept = keep_largest(labels, connectivity, threads=1)
    np.testing.assert_array_equal(keep_largest(along, connectivity, threads=3), kept.transpose(1, 2, 0))


@pytest.mark.parametrize("shape", [(0, 3), (4, 0, 2), (1, 1), (1, 1, 1), (1, 7, 1), (5, 1, 1)])
def test_empty_and_thin_arrays(shape: tuple[int, ...]) -> None:
    connectivity = {2: 8, 3: 18}[len(shape)]
    empty = connected_components(np.zeros(shape, np.int16), connectivity)
    assert_same(empty, (np.zeros(shape, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int16)))
    full = np.ones(shape, np.int16)
    assert connected_components(full, connectivity)[1].tolist() == ([full.size] if full.size else [])
    np.testing.assert_array_equal(keep_largest(full, connectivity), full)


def test_what_is_given_is_left_alone() -> None:
    labels = random_labels((6, 7, 8), 4)
    before = labels.copy()
    kept = keep_largest(labels, 6)
    connected_components(labels, 6)
    np.testing.assert_array_equal(labels, before)
    assert not np.shares_memory(kept, labels)
    assert not np.shares_memory(keep_largest(labels, 6, []), labels)


@pytest.mark.parametrize("operator", [connected_components, keep_largest])
def test_what_cannot_be_parted_is_refused(operator) -> None:
    with pytest.raises(DataError, match="float32"):
        operator(np.zeros((3, 3), np.float32), 4)
    with pytest.raises(DataError, match=r"\(5,\)"):
        operator(np.zeros(5, np.uint8), 4)
    with pytest.raises(ValueError, match="4 or 8 neighbours, got 6"):
        operator(np.zeros((3, 3), np.uint8), 6)
    with pytest.raises(ValueError, match="6 or 18 or 26 neighbours, got 8"):
        operator(np.zeros((3, 3, 3), np.uint8), 8)
