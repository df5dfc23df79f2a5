"""Surface distances against golden numbers and brute force."""

from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medsegan.errors import DataError
from medsegan.metrics import compute_surface_distances, surface

SPACING = (0.8, 0.8, 5.0)
GOLDEN = {
    "hd95_mm": {"A": 5.0, "B": 5.0, "H": 39.0383, "F": 5.0, "I": 0.8, "G": 0.0},
    "hd95_pooled_mm": {"A": 5.0, "B": 5.0, "H": 0.0, "F": 5.0, "I": 0.8, "G": 0.0},
    "hd100_mm": {"A": 5.3104, "B": 42.8579, "H": 47.3122, "F": 5.2498, "I": 0.8, "G": 0.0},
    "assd_mm": {"A": 1.6237, "B": 1.8567, "H": 1.9434, "F": 1.5356, "I": 0.8, "G": 0.0},
    "masd_mm": {"A": 1.6246, "B": 1.8565, "H": 1.8522, "F": 1.5242, "I": 0.8, "G": 0.0},
}
GOLDEN_DIRECTED = {"A": 1.4063, "B": 1.8701, "H": 3.7043, "F": 1.8063, "I": 0.8, "G": 0.0}
ALWAYS_TREE, ALWAYS_TRANSFORM = 0, 10**9

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


@pytest.mark.parametrize("voxels_per_point", [None, ALWAYS_TREE, ALWAYS_TRANSFORM])
@pytest.mark.parametrize("case", "ABHFIG")
def test_golden_numbers(golden_masks, case, voxels_per_point):
    default = surface._VOXELS_PER_POINT
    with patch.object(surface, "_VOXELS_PER_POINT", default if voxels_per_point is None else voxels_per_point):
        distances = compute_surface_distances(*golden_masks[case], SPACING)
    for name, values in GOLDEN.items():
        assert getattr(distances, name) == pytest.approx(values[case], abs=6e-5), name
    assert distances.prediction_to_reference_mm.mean() == pytest.approx(GOLDEN_DIRECTED[case], abs=6e-5)


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


@pytest.mark.parametrize("voxels_per_point", [ALWAYS_TREE, ALWAYS_TRANSFORM])
@given(pair=pairs(), spacing=spacings)
@settings(max_examples=60, deadline=None)
def test_equals_brute_force(pair, spacing, voxels_per_point):
    with patch.object(surface, "_VOXELS_PER_POINT", voxels_per_point):
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
