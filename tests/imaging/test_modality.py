"""CT or MR from the values alone."""

import numpy as np
import pytest

from medsegan.geometry import Grid
from medsegan.imaging import Volume, detect_modality, read_volume


def volume(array, modality="unknown"):
    return Volume(array, Grid(array.shape, np.eye(4)), modality)


@pytest.fixture
def hounsfield():
    """Air around a body of fat and soft tissue."""
    rng = np.random.default_rng(0)
    array = rng.normal(-1000, 15, (40, 40, 20))
    array[8:32, 8:32] = rng.normal(-100, 15, (24, 24, 20))
    array[12:28, 12:28] = rng.normal(50, 20, (16, 16, 20))
    array[18:21, 18:21] = 700
    return np.rint(array).astype(np.int16)


def test_the_file_is_believed(hounsfield):
    assert detect_modality(volume(hounsfield, "mr")) == ("mr", "the file says MR")


def test_hounsfield_units(hounsfield):
    assert detect_modality(volume(hounsfield))[0] == "ct"
    assert detect_modality(volume(hounsfield.astype(np.float32)))[0] == "ct"
    padded = hounsfield.copy()
    padded[:2] = -3024
    assert detect_modality(volume(padded))[0] == "ct"


@pytest.mark.parametrize("window", [(-125, 275), (-200, 300), (-1000, 400), (-160, 240)])
def test_clipped_hounsfield_units(hounsfield, window):
    modality, reason = detect_modality(volume(np.clip(hounsfield, *window)))
    assert modality == "ct"
    assert str(window[0]) in reason


def test_ct_without_its_intercept_is_not_taken_for_mr(hounsfield):
    modality, reason = detect_modality(volume(np.clip(hounsfield, -1024, None) + 1024))
    assert modality == "unknown"
    assert "intercept" in reason


def test_mr(hounsfield):
    rng = np.random.default_rng(0)
    array = np.where(hounsfield > -500, rng.gamma(4, 60, hounsfield.shape), rng.exponential(4, hounsfield.shape))
    assert detect_modality(volume(array))[0] == "mr"
    assert detect_modality(volume(array * 300))[0] == "mr"
    assert detect_modality(volume(array - 8))[0] == "mr"


def test_normalised_and_constant_images_are_unknown():
    array = np.random.default_rng(0).normal(0, 1, (20, 20, 20))
    assert detect_modality(volume(array))[0] == "unknown"
    assert detect_modality(volume(np.zeros((5, 5, 5)))) == ("unknown", "the image is constant")


@pytest.mark.parametrize(
    ("folder", "pattern", "expected"),
    [
        ("abdomen_ct", "*_ct.nii.gz", "ct"),
        ("abdomen_ct_raw_hu", "*_ct.nii.gz", "ct"),
        ("totalseg_examples", "example_ct_sm.nii.gz", "ct"),
        ("totalseg_examples", "example_mr_sm.nii.gz", "mr"),
        ("abdomen_mr", "*_image.nii.gz", "mr"),
        ("cardiac_mr", "*_image.nii.gz", "mr"),
        ("brain_hippocampus", "images/*.nii.gz", "mr"),
    ],
)
def test_real_scans(real_scans, folder, pattern, expected):
    paths = sorted(real_scans(folder).glob(pattern))[::9]
    assert paths
    for path in paths:
        assert detect_modality(read_volume(path))[0] == expected, path.name
