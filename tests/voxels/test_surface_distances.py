"""Distances of surfaces against brute force, against the plain way, and against two packages."""

import importlib
from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
import surface_distance
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medsegan.errors import DataError
from medsegan.voxels import surface_distances
from medsegan.voxels.labels import LabelPair
from medsegan.voxels.surfels import surfel_areas_mm2

MODULE = importlib.import_module(
    "medsegan.voxels.surface_distances"
)  # the package exports its function by this name
ALWAYS_TREE, ALWAYS_TRANSFORM = 0, 10**9
VOXELS = ("prediction_to_reference_mm", "reference_to_prediction_mm")
AREAS = ("prediction_mm2", "reference_mm2")

spacings = st.tuples(*[st.sampled_from([0.3, 0.8, 1.0, 2.5, 5.0])] * 3)
dtypes = st.sampled_from(["uint8", "uint16", "int16", "int32", "int64"])


@st.composite
def volumes(draw):
    shape = draw(st.tuples(*[st.integers(1, 6)] * 3))
    one, other = (draw(arrays(draw(dtypes), shape, elements=st.integers(0, 3))) for _ in range(2))
    return one, other


def scattered(seed):
    """Volumes that reach beyond one word of bits and beyond the near rows: few voxels, many, or nearly all."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, (14, 40, 150))
    densities = rng.choice([0.0005, 0.01, 0.4, 0.97], 2)
    both = [((rng.random(shape) < d) * rng.integers(1, 4, shape)).astype(np.uint8) for d in densities]
    return *both, tuple(rng.choice([0.3, 0.8, 1.0, 2.5, 30.0], 3))


def blocks():
    """A block, and the same moved and with stray voxels at both ends of the image."""
    reference = np.zeros((60, 70, 90), dtype=np.uint8)
    reference[20:45, 15:50, 30:75] = 1
    reference[3:9, 40:60, 5:20] = 2
    prediction = np.roll(reference, (2, -1, 3), axis=(0, 1, 2))
    prediction[0, 0, 0] = prediction[-1, -1, -1] = 1
    return prediction, reference


def plain(prediction, reference, labels, spacing):
    pair = LabelPair.of(prediction, reference)
    turned = np.array(spacing, dtype=float)[list(pair.axes)]
    areas = surfel_areas_mm2(turned)
    return [MODULE._plain(pair.prediction == label, pair.reference == label, turned, areas) for label in labels]


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        for name in VOXELS:
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-12)
            np.testing.assert_allclose(getattr(one.surfels, name), getattr(other.surfels, name), rtol=1e-12)
        for name in AREAS:
            np.testing.assert_allclose(getattr(one.surfels, name), getattr(other.surfels, name), rtol=1e-12)


def brute_surface(mask):
    voxels = set(map(tuple, np.argwhere(mask)))
    steps = [s for s in product((-1, 0, 1), repeat=3) if sum(map(abs, s)) == 1]
    on_surface = [v for v in sorted(voxels) if any(tuple(np.add(v, s)) not in voxels for s in steps)]
    return np.array(on_surface, dtype=float).reshape(-1, 3)


def brute_distances(source, target, spacing):
    a, b = brute_surface(source) * spacing, brute_surface(target) * spacing
    return np.linalg.norm(a[:, None] - b[None], axis=2).min(axis=1, initial=np.inf)


@pytest.mark.parametrize("voxels_per_point", [ALWAYS_TREE, ALWAYS_TRANSFORM])
@given(pair=volumes(), spacing=spacings)
@settings(max_examples=25)
def test_the_plain_way_equals_brute_force(pair, spacing, voxels_per_point):
    with patch.object(MODULE, "_VOXELS_PER_POINT", voxels_per_point):
        (found,) = plain(*pair, [1], spacing)
    masks = [volume == 1 for volume in pair]
    for name, (source, target) in zip(VOXELS, (masks, masks[::-1]), strict=True):
        np.testing.assert_allclose(getattr(found, name), brute_distances(source, target, spacing), rtol=1e-12)


@given(pair=volumes(), spacing=spacings)
@settings(max_examples=60)
def test_small_volumes_equal_the_plain_way(pair, spacing):
    labels = [3, 1, 2, 9, -1]
    assert_equal(surface_distances(*pair, labels, spacing), plain(*pair, labels, spacing))


@pytest.mark.parametrize("seed", range(40))
def test_scattered_volumes_equal_the_plain_way(seed):
    prediction, reference, spacing = scattered(seed)
    assert_equal(
        surface_distances(prediction, reference, [1, 3], spacing), plain(prediction, reference, [1, 3], spacing)
    )


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.8, 0.8, 5.0), (6.0, 0.5, 0.5), (0.01, 1.0, 10.0)])
def test_blocks_with_stray_voxels_equal_the_plain_way(spacing):
    pair = blocks()
    assert_equal(surface_distances(*pair, [1, 2], spacing), plain(*pair, [1, 2], spacing))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:surface_distance.*")
@given(pair=volumes(), spacing=spacings)
@settings(max_examples=40)
def test_surfels_equal_surface_distance(pair, spacing):
    masks = [volume > 1 for volume in pair]
    (found,) = surface_distances(*masks, [1], spacing)
    if not all(mask.any() for mask in masks):  # their release cannot be asked, under numpy 2
        return
    theirs = surface_distance.compute_surface_distances(masks[1], masks[0], spacing)
    for name, their_name in zip(VOXELS, ("distances_pred_to_gt", "distances_gt_to_pred"), strict=True):
        np.testing.assert_allclose(np.sort(getattr(found.surfels, name)), theirs[their_name], rtol=1e-12)
    for tolerance in (0.55, 1.05, 3.1):  # no distance between places lies so near that rounding decides
        near = found.surfels.prediction_mm2[found.surfels.prediction_to_reference_mm <= tolerance].sum()
        near += found.surfels.reference_mm2[found.surfels.reference_to_prediction_mm <= tolerance].sum()
        total = found.surfels.prediction_mm2.sum() + found.surfels.reference_mm2.sum()
        expected = surface_distance.compute_surface_dice_at_tolerance(theirs, tolerance)
        assert near / total == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_change_nothing(threads):
    pair = blocks()
    alone = surface_distances(*pair, [1, 2], (0.8, 0.8, 5.0), threads=1)
    together = surface_distances(*pair, [1, 2], (0.8, 0.8, 5.0), threads=threads)
    for one, other in zip(alone, together, strict=True):
        for name in VOXELS:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
            np.testing.assert_array_equal(getattr(one.surfels, name), getattr(other.surfels, name))


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_the_order_in_memory_changes_only_the_order_of_the_lists(order):
    prediction, reference = (volume[::2, ::2, ::2] for volume in blocks())
    spacing = (0.8, 1.1, 5.0)
    turned = [
        np.ascontiguousarray(v.transpose(order)).transpose(np.argsort(order)) for v in (prediction, reference)
    ]
    for one, other in zip(
        surface_distances(prediction, reference, [1, 2], spacing),
        surface_distances(*turned, [1, 2], spacing),
        strict=True,
    ):
        for name in VOXELS:
            np.testing.assert_allclose(np.sort(getattr(one, name)), np.sort(getattr(other, name)), rtol=1e-12)
        assert one.surfels.prediction_mm2.sum() == pytest.approx(other.surfels.prediction_mm2.sum())


def test_a_box_has_the_area_of_its_faces_less_the_bevels():
    mask = np.zeros((9, 9, 9), dtype=bool)
    mask[2:6, 2:6, 2:6] = True
    (found,) = surface_distances(mask, mask, [1], (1, 1, 1))
    faces, edges, corners = 6 * 3**2, 12 * 3 * np.sqrt(0.5), 8 * np.sqrt(3) / 8
    assert found.surfels.reference_mm2.sum() == pytest.approx(faces + edges + corners)
    assert found.reference_to_prediction_mm.size == 4**3 - 2**3
    assert not found.surfels.prediction_to_reference_mm.any()


def test_an_empty_surface_is_infinitely_far():
    something = np.zeros((4, 5, 6), dtype=np.uint8)
    something[1:3, 1:3, 1:3] = 1
    missed, absent = surface_distances(np.zeros_like(something), something, [1, 2], (1, 1, 1))
    assert missed.prediction_to_reference_mm.size == 0
    assert missed.reference_to_prediction_mm.tolist() == [np.inf] * 8
    assert missed.surfels.reference_to_prediction_mm.tolist() == [np.inf] * 26
    assert missed.surfels.reference_mm2.size == 26
    assert absent.prediction_to_reference_mm.size == absent.surfels.reference_mm2.size == 0


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (3, 4, 0)])
def test_empty_volumes_and_no_labels(shape):
    nothing = np.zeros(shape, dtype=np.int32)
    (found,) = surface_distances(nothing, nothing, [1], (1, 1, 1))
    assert found.prediction_to_reference_mm.size == found.surfels.prediction_mm2.size == 0
    assert surface_distances(nothing, nothing, [], (1, 1, 1)) == []


def test_without_surfels_the_voxels_are_the_same():
    pair = blocks()
    (short,), (full,) = (surface_distances(*pair, [1], (1, 1, 2), surfels=wish) for wish in (False, True))
    assert short.surfels is None
    for name in VOXELS:
        np.testing.assert_array_equal(getattr(short, name), getattr(full, name))


def test_refuses_what_has_no_distances():
    volume = np.ones((3, 3, 3), dtype=np.uint8)
    for spacing in ((1, 0, 1), (1, float("nan"), 1), (1, 1), (1, 1, float("inf"))):
        with pytest.raises(DataError, match="spacing"):
            surface_distances(volume, volume, [1], spacing)
    with pytest.raises(DataError, match="2D"):
        surface_distances(volume[0], volume[0], [1], (1, 1, 1))
    with pytest.raises(DataError, match=r"\(3, 3, 2\)"):
        surface_distances(volume, volume[..., :2], [1], (1, 1, 1))
    with pytest.raises(DataError, match="float64"):
        surface_distances(volume, volume.astype(float), [1], (1, 1, 1))
    with pytest.raises(ValueError, match="distinct"):
        surface_distances(volume, volume, [1, 1], (1, 1, 1))
