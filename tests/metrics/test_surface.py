"""Surface distances against golden numbers and brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medsegan.errors import DataError
from medsegan.metrics import compute_surface_distances
from medsegan.metrics.surface import compute_class_distances

SPACING = (0.8, 0.8, 5.0)
GOLDEN = {
    "hd95_mm": {"A": 5.0, "B": 5.0, "H": 39.0383, "F": 5.0, "I": 0.8, "G": 0.0},
    "hd95_pooled_mm": {"A": 5.0, "B": 5.0, "H": 0.0, "F": 5.0, "I": 0.8, "G": 0.0},
    "hd100_mm": {"A": 5.3104, "B": 42.8579, "H": 47.3122, "F": 5.2498, "I": 0.8, "G": 0.0},
    "assd_mm": {"A": 1.6237, "B": 1.8567, "H": 1.9434, "F": 1.5356, "I": 0.8, "G": 0.0},
    "masd_mm": {"A": 1.6246, "B": 1.8565, "H": 1.8522, "F": 1.5242, "I": 0.8, "G": 0.0},
}
GOLDEN_DIRECTED = {"A": 1.4063, "B": 1.8701, "H": 3.7043, "F": 1.8063, "I": 0.8, "G": 0.0}
GOLDEN_NSD_VOXEL = {"A": 0.7136, "B": 0.7093, "H": 0.9508, "F": 0.7078, "I": 1.0, "G": 1.0}
GOLDEN_NSD = {"A": 0.8773, "B": 0.8689, "H": 0.9494, "F": 0.8893, "I": 1.0, "G": 1.0}
GOLDEN_HD95_BY_AREA = {"A": 5.0, "B": 5.0, "H": 37.6303, "F": 5.0, "I": 0.8, "G": 0.0}
GOLDEN_MEANS_BY_AREA = {  # prediction to reference, and back
    "A": (0.8209, 1.0415),
    "B": (1.5786, 1.0415),
    "H": (3.6495, 0.0),
    "F": (0.945, 0.6303),
    "I": (0.4, 0.4),
    "G": (0.0, 0.0),
}

masks = arrays(bool, st.tuples(*[st.integers(1, 6)] * 3), elements=st.booleans()).filter(np.any)
spacings = st.tuples(*[st.sampled_from([0.5, 0.8, 1.0, 2.5, 5.0])] * 3)


@st.composite
def pairs(draw):
    first = draw(masks)
    second = draw(arrays(bool, first.shape, elements=st.booleans()).filter(np.any))
    return first, second


def brute_surface(mask):
    voxels = set(map(tuple, np.argwhere(mask)))
    steps = [s for s in product((-1, 0, 1), repeat=3) if sum(map(abs, s)) == 1]
    on_surface = [v for v in sorted(voxels) if any(tuple(np.add(v, s)) not in voxels for s in steps)]
    return np.array(on_surface, dtype=float)


def brute_distances(source, target, spacing):
    a, b = brute_surface(source) * spacing, brute_surface(target) * spacing
    return np.linalg.norm(a[:, None] - b[None], axis=2).min(axis=1)


@pytest.mark.parametrize("case", "ABHFIG")
def test_golden_numbers(golden_masks, case):
    distances = compute_surface_distances(*golden_masks[case], SPACING)
    for name, values in GOLDEN.items():
        assert getattr(distances, name) == pytest.approx(values[case], abs=6e-5), name
    assert distances.prediction_to_reference_mm.mean() == pytest.approx(GOLDEN_DIRECTED[case], abs=6e-5)


@pytest.mark.parametrize("case", "ABHFIG")
def test_golden_numbers_by_area(golden_masks, case):
    distances = compute_surface_distances(*golden_masks[case], SPACING, surfels=True)
    assert distances.nsd_voxel(2.0) == pytest.approx(GOLDEN_NSD_VOXEL[case], abs=6e-5)
    assert distances.nsd(2.0) == pytest.approx(GOLDEN_NSD[case], abs=6e-5)
    assert distances.hd_by_area_mm(95) == pytest.approx(GOLDEN_HD95_BY_AREA[case], abs=6e-5)
    assert distances.means_by_area_mm() == pytest.approx(GOLDEN_MEANS_BY_AREA[case], abs=6e-5)


def test_areas_must_be_asked_for(golden_masks):
    distances = compute_surface_distances(*golden_masks["I"], SPACING)
    for work in (lambda: distances.nsd(2.0), lambda: distances.hd_by_area_mm(95), distances.means_by_area_mm):
        with pytest.raises(ValueError, match="surfels=True"):
            work()


def test_several_classes_at_once_are_each_as_alone(golden_masks):
    masks = golden_masks["B"]
    prediction, reference = (np.where(mask, 40_000, 0).astype(np.uint16) for mask in masks)
    prediction[5:9, 5:9, 3:5], reference[5:8, 5:9, 3:6] = 7, 7
    together = compute_class_distances(prediction, reference, [7, 40_000], SPACING)
    assert list(together) == [7, 40_000]
    for value, found in together.items():
        alone = compute_surface_distances(prediction == value, reference == value, SPACING)
        np.testing.assert_array_equal(found.prediction_to_reference_mm, alone.prediction_to_reference_mm)
        np.testing.assert_array_equal(found.reference_to_prediction_mm, alone.reference_to_prediction_mm)


def test_identical_masks_are_exactly_zero_apart(golden_masks):
    distances = compute_surface_distances(*golden_masks["G"], SPACING)
    assert distances.hd100_mm == 0.0
    assert distances.assd_mm == 0.0


def test_share_of_the_blob_in_case_h(golden_masks):
    distances = compute_surface_distances(*golden_masks["H"], SPACING)
    far_p = distances.prediction_to_reference_mm > 0
    assert far_p.mean() == pytest.approx(0.09386, abs=5e-6)
    pooled = far_p.sum() / (far_p.size + distances.reference_to_prediction_mm.size)
    assert pooled == pytest.approx(0.04924, abs=5e-6)


@given(pair=pairs(), spacing=spacings)
@settings(max_examples=60, deadline=None)
def test_equals_brute_force(pair, spacing):
    distances = compute_surface_distances(*pair, spacing)
    np.testing.assert_allclose(
        distances.prediction_to_reference_mm, brute_distances(*pair, spacing), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(
        distances.reference_to_prediction_mm, brute_distances(*pair[::-1], spacing), rtol=1e-12, atol=1e-12
    )


@given(pair=pairs(), spacing=spacings)
@settings(max_examples=60, deadline=None)
def test_symmetric(pair, spacing):
    one, other = compute_surface_distances(*pair, spacing), compute_surface_distances(*pair[::-1], spacing)
    for name in GOLDEN:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-12), name


@given(pair=pairs(), spacing=spacings, offset=st.tuples(*[st.integers(0, 9)] * 3))
@settings(max_examples=60, deadline=None)
def test_moving_both_masks_changes_nothing(pair, spacing, offset):
    """Also at the edge of the image: an offset of 0 touches it."""
    moved = [np.pad(mask, [(o, 9 - o) for o in offset]) for mask in pair]
    here, there = compute_surface_distances(*pair, spacing), compute_surface_distances(*moved, spacing)
    np.testing.assert_allclose(
        here.prediction_to_reference_mm, there.prediction_to_reference_mm, rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(
        here.reference_to_prediction_mm, there.reference_to_prediction_mm, rtol=1e-12, atol=1e-12
    )


@given(pair=pairs(), spacing=spacings, order=st.permutations([0, 1, 2]))
@settings(max_examples=40, deadline=None)
def test_axis_order_changes_nothing(pair, spacing, order):
    turned = compute_surface_distances(*(m.transpose(order) for m in pair), tuple(spacing[a] for a in order))
    straight = compute_surface_distances(*pair, spacing)
    for name in GOLDEN:
        assert getattr(straight, name) == pytest.approx(getattr(turned, name), rel=1e-12), name


def test_inner_voxels_do_not_count():
    block = np.zeros((9, 9, 9), dtype=bool)
    block[2:7, 2:7, 2:7] = True
    assert compute_surface_distances(block, block, (1, 1, 1)).prediction_to_reference_mm.size == 5**3 - 3**3


def test_refuses_what_has_no_surface():
    empty, full = np.zeros((3, 3, 3), dtype=bool), np.ones((3, 3, 3), dtype=bool)
    with pytest.raises(DataError, match="prediction is empty"):
        compute_surface_distances(empty, full, (1, 1, 1))
    with pytest.raises(DataError, match="reference is empty"):
        compute_surface_distances(full, empty, (1, 1, 1))


@pytest.mark.parametrize("spacing", [(1.0, 0.0, 1.0), (1.0, float("nan"), 1.0), (1.0, 1.0)])
def test_refuses_impossible_spacing(spacing):
    full = np.ones((3, 3, 3), dtype=bool)
    with pytest.raises(DataError, match="spacing"):
        compute_surface_distances(full, full, spacing)
