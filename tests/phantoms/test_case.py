"""A phantom is reproducible, lies in the patient as a patient does and is scanned as patients are."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from medsegan.errors import UsageError
from medsegan.geometry import axis_codes
from medsegan.phantoms import Appearance, Phantom, PhantomLabels, generate_case

CASES = range(12)
MISSING = {"missing_kidney"}
COARSE = {"in_plane_mm": 3.2, "slice_mm": 8.5}
"""A third of the voxels of the default, so that the tests are quick."""


@pytest.fixture(scope="module")
def phantoms() -> dict[str, list[Phantom]]:
    return {name: [generate_case(5, index, name, **COARSE) for index in CASES] for name in ("ct", "mr")}


def centre_mm(phantom: Phantom, label: PhantomLabels) -> np.ndarray:
    voxels = np.argwhere(phantom.label.array == label).mean(axis=0)
    affine = phantom.label.grid.world_from_voxel
    return affine[:3, :3] @ voxels + affine[:3, 3]


def volumes_ml(phantom: Phantom) -> np.ndarray:
    return np.bincount(phantom.label.array.ravel(), minlength=5)[1:] * phantom.label.grid.voxel_ml


@pytest.mark.parametrize("appearance", ["ct", "mr"])
def test_equal_arguments_give_equal_voxels_and_others_do_not(appearance: Appearance) -> None:
    first, again = (generate_case(3, 1, appearance) for _ in range(2))
    np.testing.assert_array_equal(first.volume.array, again.volume.array)
    np.testing.assert_array_equal(first.label.array, again.label.array)
    np.testing.assert_array_equal(first.volume.grid.world_from_voxel, again.volume.grid.world_from_voxel)
    for other in (generate_case(3, 2, appearance), generate_case(4, 1, appearance)):
        affine = other.volume.grid.world_from_voxel
        assert not np.array_equal(affine, first.volume.grid.world_from_voxel)


def test_ct_and_mr_of_one_number_are_two_patients(phantoms: dict[str, list[Phantom]]) -> None:
    for ct, mr in zip(phantoms["ct"], phantoms["mr"], strict=True):
        assert not np.allclose(volumes_ml(ct), volumes_ml(mr), rtol=1e-3)


@pytest.mark.parametrize("appearance", ["ct", "mr"])
def test_organs_lie_where_they_belong_in_world_space(
    phantoms: dict[str, list[Phantom]], appearance: Appearance
) -> None:
    checked = 0
    for phantom in phantoms[appearance]:
        if phantom.variants & MISSING:
            continue
        liver, spleen, right, left = (centre_mm(phantom, label) for label in PhantomLabels)
        assert right[0] > left[0] + 60.0
        assert liver[0] > spleen[0] + 60.0
        assert liver[2] > right[2]
        assert spleen[2] > left[2]
        assert liver[1] > right[1]
        checked += 1
    assert checked >= 9


@pytest.mark.parametrize("appearance", ["ct", "mr"])
def test_all_four_organs_are_there_over_several_slices(
    phantoms: dict[str, list[Phantom]], appearance: Appearance
) -> None:
    for phantom in phantoms[appearance]:
        codes = axis_codes(phantom.label.grid)
        through = next(axis for axis in range(3) if codes[axis] in "SI")
        stack = np.moveaxis(phantom.label.array, through, 0)
        labels = list(PhantomLabels)
        counts = [int((stack == label).any(axis=(1, 2)).sum()) for label in labels]
        if not phantom.variants & MISSING:
            assert min(counts) >= 5, phantom.variants
        assert (stack > 0).any(axis=(1, 2)).mean() > 0.9
        assert set(np.unique(stack)) <= {0, *labels}


def test_both_appearances_share_the_statistics_of_the_anatomy() -> None:
    coarse = {"in_plane_mm": 7.0, "slice_mm": 12.0}
    samples = {
        name: np.array([volumes_ml(generate_case(1, index, name, **coarse)) for index in range(40)])
        for name in ("ct", "mr")
    }
    for ct, mr in zip(samples["ct"].T, samples["mr"].T, strict=True):
        assert stats.ks_2samp(ct, mr).pvalue > 0.01
    assert stats.ks_2samp(samples["ct"][:, 0], 1.5 * samples["mr"][:, 0]).pvalue < 0.01
    liver, spleen, right, left = np.median(np.concatenate(list(samples.values())), axis=0)
    assert 1000 < liver < 2000
    assert 120 < spleen < 350
    assert 120 < right < 260
    assert 120 < left < 260


@pytest.mark.parametrize("appearance", ["ct", "mr"])
def test_scans_are_anisotropic_oblique_and_in_many_axis_orders(
    phantoms: dict[str, list[Phantom]], appearance: Appearance
) -> None:
    grids = [phantom.volume.grid for phantom in phantoms[appearance]]
    assert len({axis_codes(grid) for grid in grids}) >= 5
    assert len({grid.shape for grid in grids}) >= 6
    for grid in grids:
        spacing = sorted(grid.spacing_mm)
        assert spacing[2] > 2 * spacing[0]
        directions = grid.world_from_voxel[:3, :3] / grid.spacing_mm
        np.testing.assert_allclose(directions.T @ directions, np.eye(3), atol=1e-9)
        assert 0.0 < np.degrees(np.arccos(np.abs(directions).max(axis=0))).max() < 15.0


def test_image_and_label_fit_the_same_anatomy(phantoms: dict[str, list[Phantom]]) -> None:
    for phantom in phantoms["ct"]:
        image, label = phantom.volume.array, phantom.label.array
        assert 60 < image[label == PhantomLabels.LIVER].mean() < 140
        assert 100 < np.median(image[label == PhantomLabels.RIGHT_KIDNEY]) < 200 or phantom.variants & MISSING
        assert image[label == 0].mean() < -300
        assert phantom.volume.grid is phantom.label.grid


def test_spacing_follows_the_request() -> None:
    phantom = generate_case(0, 0, "mr", in_plane_mm=4.0, slice_mm=12.0)
    spacing = sorted(phantom.volume.grid.spacing_mm)
    assert spacing[0] == pytest.approx(4.0, rel=0.13)
    assert spacing[2] == pytest.approx(12.0, rel=0.13)
    finer = generate_case(0, 0, "mr", in_plane_mm=2.0, slice_mm=12.0)
    np.testing.assert_allclose(volumes_ml(phantom)[0], volumes_ml(finer)[0], rtol=0.25)


@pytest.mark.parametrize(
    ("arguments", "spacing", "found"),
    [
        ((0, 0, "pet"), {}, "'pet'"),
        ((-1, 0, "ct"), {}, "seed -1"),
        ((0, -2, "ct"), {}, "index -2"),
        ((0, 0, "ct"), {"in_plane_mm": 0.0}, r"0\.0"),
        ((0, 0, "ct"), {"slice_mm": float("nan")}, "nan"),
    ],
)
def test_impossible_requests_name_what_was_found(
    arguments: tuple[Any, ...], spacing: dict[str, Any], found: str
) -> None:
    with pytest.raises(UsageError, match=found):
        generate_case(*arguments, **spacing)
