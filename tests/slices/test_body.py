"""Finding the body: table, arms, clipped air, noise and bias must not move it."""

import numpy as np
import pytest
from slice_scenes import trunk

from medsegan.slices import body_box, body_mask

SPACING_MM = (6.0, 4.0, 4.0)
TOLERANCE = 1.6


def ct_of(tissue, air, seed=0):
    rng = np.random.default_rng(seed)
    values = np.where(tissue, rng.normal(-20, 45, tissue.shape), rng.normal(-1000, 25, tissue.shape))
    return np.maximum(values, air).astype(np.float32)


def mr_of(tissue, seed=0):
    """Rician noise and a bias field that dims the body by half from one side to the other."""
    rng = np.random.default_rng(seed)
    signal = np.where(tissue, rng.uniform(100, 500, tissue.shape), 0.0) * np.linspace(1.2, 0.6, tissue.shape[2])
    return np.hypot(signal + rng.normal(0, 8, signal.shape), rng.normal(0, 8, signal.shape)).astype(np.float32)


def assert_box(box, rows, cols):
    assert box is not None
    assert box[1] == pytest.approx(rows, abs=TOLERANCE)
    assert box[2] == pytest.approx(cols, abs=TOLERANCE)


@pytest.mark.parametrize("air", [-2000, -125])
@pytest.mark.parametrize("arms", [False, True])
@pytest.mark.parametrize("table", [False, True])
def test_ct_body_without_table_and_arms(air, arms, table):
    tissue, _, _ = trunk(arms=arms, table=table)
    box = body_box(ct_of(tissue, air), SPACING_MM, "ct")
    assert_box(box, rows=(45 - 25.5, 45 + 25.5), cols=(60 - 35.5, 60 + 35.5))
    assert box[0] == (-0.5, 23.5)


@pytest.mark.parametrize("arms", [False, True])
@pytest.mark.parametrize("modality", ["mr", "unknown"])
def test_mr_body_through_bias_and_noise(arms, modality):
    tissue, _, _ = trunk(arms=arms, table=False)
    assert_box(body_box(mr_of(tissue), SPACING_MM, modality), (45 - 25.5, 45 + 25.5), (60 - 35.5, 60 + 35.5))


def test_two_legs_are_both_body():
    rows, cols = np.indices((80, 110))
    legs = ((rows - 40) ** 2 + (np.abs(cols - 55) - 25) ** 2) <= 18**2
    tissue = np.broadcast_to(legs, (10, 80, 110))
    assert_box(body_box(ct_of(tissue, -2000), SPACING_MM, "ct"), (21.5, 58.5), (11.5, 98.5))


def test_the_view_holds_fine_voxels_as_well_as_coarse_ones():
    tissue, _, _ = trunk(table=True)
    fine = np.repeat(np.repeat(np.repeat(tissue, 2, 0), 5, 1), 5, 2)
    box = body_box(ct_of(fine, -2000), (3.0, 0.8, 0.8), "ct")
    assert box is not None
    assert np.array(box[2]) / 5 == pytest.approx(np.array([24.5, 95.5]), abs=TOLERANCE)


def test_holes_are_body_and_noise_is_not():
    tissue, _, _ = trunk(arms=True, table=True)
    mask = body_mask(ct_of(tissue, -2000), SPACING_MM, "ct")
    assert mask[:, 45, 45].all(), "the lung belongs to the body"
    assert not mask[:, :, :20].any(), "the arm does not"
    assert not mask[:, 73:].any(), "nor does the table"


@pytest.mark.parametrize(
    ("array", "modality"),
    [
        (np.full((5, 60, 60), 7.0, np.float32), "mr"),
        (np.full((5, 60, 60), -1000.0, np.float32), "ct"),
        (np.random.default_rng(0).uniform(300, 800, (5, 60, 60)).astype(np.float32), "mr"),
        (np.random.default_rng(0).uniform(0, 800, (5, 20, 20)).astype(np.float32), "mr"),
    ],
    ids=["constant", "only air", "only tissue", "too small"],
)
def test_where_there_is_no_body_there_is_no_box(array, modality):
    assert body_box(array, SPACING_MM, modality) is None


def test_a_crop_inside_the_body_is_seen_whole():
    array = np.random.default_rng(0).normal(40, 30, (8, 60, 60)).astype(np.float32)
    array[:, 20:30, 20:30] = -800
    box = body_box(array - 0.0, (5.0, 3.0, 3.0), "ct")
    assert box is not None
    assert box[1] == box[2] == (-0.5, 59.5)


@pytest.mark.parametrize(
    ("dataset", "pattern", "modality"),
    [("abdomen_ct", "btcv_0[0-3]_ct.nii.gz", "ct"), ("abdomen_mr", "chaos_t2_0[1-5]_image.nii.gz", "mr")],
)
def test_real_bodies_fill_the_view_and_hold_every_organ(real_scans, dataset, pattern, modality):
    from medsegan.imaging import read_label, read_volume
    from medsegan.slices import cut_label, find_body, fit_frame

    for path in sorted(real_scans(dataset).glob(pattern)):
        volume = read_volume(path)
        name = path.name.replace("_ct", "_label").replace("_image", "_label")
        label = (read_label(path.with_name(name)).array > 0).astype(np.uint8)
        box = find_body(volume, modality)
        assert box is not None, path.name
        frame = fit_frame(volume, modality, "axial", 128)
        slices = cut_label(label, frame, 2)
        ring = np.ones((128, 128), bool)
        ring[3:-3, 3:-3] = False
        assert not slices[:, ring].any(), f"{path.name}: an organ is cut off"
        pixel_ml = frame.stack_grid.voxel_ml
        assert slices.sum() * pixel_ml == pytest.approx(label.sum() * volume.grid.voxel_ml, rel=0.02)
