"""The one road from a scan to slices."""

import numpy as np
import pytest
from slice_scenes import trunk

from medsegan.geometry import Grid
from medsegan.imaging import Volume
from medsegan.slices import cut_image, find_body, frame_around, prepare_scan


def scan_of(values):
    """A volume in RAS order of an axial stack (S, H, W)."""
    array = np.ascontiguousarray(values[:, ::-1, ::-1].transpose(2, 1, 0)).astype(np.float32)
    return Volume(array, Grid(array.shape, np.diag([4.0, 4.0, 6.0, 1.0])))


def test_ct_keeps_hounsfield_units():
    tissue, _, _ = trunk()
    values = np.where(tissue, np.random.default_rng(0).normal(40, 60, tissue.shape), -1000.0)
    volume = scan_of(values)
    prepared = prepare_scan(volume, "ct", "axial", 96)
    assert prepared.images.dtype == np.int16
    assert prepared.images.shape == (24, 96, 96)
    assert prepared.notes == ()
    frame = frame_around(volume.grid, "axial", 96, find_body(volume, "ct"))
    assert prepared.frame.to_json() == frame.to_json()
    assert np.abs(prepared.images - cut_image(volume.array, frame, -1000.0)).max() <= 0.5


def test_pixels_beyond_the_scan_are_as_dark_as_air_but_no_padding():
    tissue, _, _ = trunk(shape=(6, 100, 120))
    values = np.where(tissue, 40.0, -1000.0)
    values[:, :8] = -3024.0
    prepared = prepare_scan(scan_of(values), "ct", "coronal", 96)
    assert prepared.images[:, 0].max() == -1024, "the view is square, the scan is flat"


def test_mr_is_scaled_so_that_a_factor_does_not_matter():
    tissue, _, _ = trunk(table=False)
    values = np.where(tissue, np.random.default_rng(0).uniform(100, 900, tissue.shape), 5.0)
    once = prepare_scan(scan_of(values), "mr", "axial", 64)
    thrice = prepare_scan(scan_of(3.0 * values), "mr", "axial", 64)
    assert np.abs(once.images.astype(int) - thrice.images).max() <= 1
    assert 500 < np.percentile(once.images, 99) <= 2000
    assert thrice.scale.high == pytest.approx(3.0 * once.scale.high)


def test_a_scan_without_a_body_is_taken_whole_and_says_so():
    values = np.random.default_rng(0).uniform(300, 800, (5, 20, 24))
    prepared = prepare_scan(scan_of(values), "mr", "axial", 32)
    assert "whole image" in prepared.notes[0]
    assert prepared.frame.cols.step * 32 == pytest.approx(24)
