"""The stored intensity scale."""

import numpy as np
import pytest

from medsegan.errors import DataError
from medsegan.imaging import DEFAULT_WINDOWS, IntensityScale, fit_scale


def test_hounsfield_units_are_kept_rounded_and_clipped():
    scale = fit_scale(np.zeros((2, 2, 2)), "ct")
    assert scale == IntensityScale("hu", -1024.0, 3071.0)
    stored = scale.encode(np.array([-1024.4, 0.6, 275, 1e6, -1e6, np.nan]))
    assert stored.dtype == np.int16
    assert stored.tolist() == [-1024, 1, 275, 32767, -32768, -1024]
    whole = np.array([-2000, 5], dtype=np.int16)
    assert scale.encode(whole).tolist() == [-2000, 5]
    assert not np.shares_memory(scale.encode(whole), whole)


def test_percentiles_become_0_to_1000_with_room_above():
    scale = IntensityScale("percentile", 20.0, 220.0)
    stored = scale.encode(np.array([20, 120, 220, 0, 320, 9999, np.nan]))
    assert stored.tolist() == [0, 500, 1000, 0, 1500, 2000, 0]


@pytest.fixture
def body():
    rng = np.random.default_rng(0)
    array = np.abs(rng.normal(0, 3, (60, 64, 20)))
    array[15:45, 15:50] = rng.uniform(100, 900, (30, 35, 20))
    return array


def test_mr_is_scaled_by_its_body_whatever_air_is_around(body):
    scale = fit_scale(body, "mr")
    assert scale.kind == "percentile"
    assert scale.low < 120
    assert scale.high == pytest.approx(896, abs=10)
    wide = np.zeros((120, 128, 20))
    wide[30:90, 32:96] = body
    assert fit_scale(wide, "mr").high == pytest.approx(scale.high, rel=0.01)


def test_a_bright_spike_and_nan_padding_do_not_matter(body):
    expected = fit_scale(body, "mr")
    spoiled = body.copy()
    spoiled[20, 20, 0] = 1e6
    spoiled[:10] = np.nan
    assert fit_scale(spoiled, "mr").high == pytest.approx(expected.high, rel=0.01)


@pytest.mark.parametrize("gain", [0.003, 1.7, 4999.0])
def test_the_stored_image_does_not_depend_on_the_gain(gain):
    array = np.zeros((24, 24, 8))
    array[6:18, 6:18] = np.random.default_rng(0).uniform(0.2, 1.0, (12, 12, 8))
    reference = fit_scale(array, "mr").encode(array)
    scaled = fit_scale(array * gain, "mr").encode(array * gain)
    assert np.abs(scaled.astype(int) - reference).max() <= 1


def test_no_contrast_is_refused():
    with pytest.raises(DataError, match="no contrast"):
        fit_scale(np.full((4, 4, 4), 7.0), "mr")
    with pytest.raises(DataError, match="no contrast"):
        fit_scale(np.full((4, 4, 4), np.nan), "mr")


def test_json_is_exact():
    scale = IntensityScale("percentile", 0.1, 1 / 3)
    assert IntensityScale.from_json(scale.to_json()) == scale


def test_senseless_scales_are_refused():
    with pytest.raises(DataError, match="rising"):
        IntensityScale("percentile", 5.0, 5.0)
    with pytest.raises(DataError, match="unknown intensity scale"):
        IntensityScale.from_json({"kind": "log", "low": 0.0, "high": 1.0})


def test_every_modality_has_a_window():
    assert {name: low < high for name, (low, high) in DEFAULT_WINDOWS.items()} == {
        "ct": True,
        "mr": True,
        "xray": True,
    }
