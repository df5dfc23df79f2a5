"""Volume errors and their signs."""

import pytest

from medsegan.metrics import VolumeError


def test_too_little_is_negative():
    error = VolumeError(prediction_ml=90.0, reference_ml=120.0)
    assert error.difference_ml == -30.0
    assert error.absolute_ml == 30.0
    assert error.relative == pytest.approx(-0.25)


def test_relative_error_of_an_empty_reference_does_not_exist():
    error = VolumeError(prediction_ml=2.0, reference_ml=0.0)
    assert error.relative is None
    assert error.difference_ml == 2.0
