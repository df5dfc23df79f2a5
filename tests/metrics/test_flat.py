"""One slice: distances between outlines, not between filled masks."""

import numpy as np
import pytest
from scipy import ndimage

from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume
from medsegan.metrics import score_case
from medsegan.metrics.flat import outlines_if_flat

CLASSES = {"lung": 1, "heart": 2}


def label(array):
    return LabelVolume(array, Grid(array.shape, np.diag([0.5, 0.7, 3.0, 1.0])))


def discs(shift, n_slices=1):
    i, j = np.indices((60, 50))
    picture = np.where(np.hypot(i - 20 - shift, j - 22) < 12, 1, 0)
    picture[np.hypot(i - 36, j - 30 + shift) < 9] = 2
    return np.repeat(picture[..., None], n_slices, axis=2).astype(np.uint8)


def test_volumes_are_left_as_they_are():
    array = discs(0, 3)
    assert outlines_if_flat(array) is array


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_outline_is_what_a_cross_takes_off(axis):
    picture = discs(0)[..., 0]
    outline = outlines_if_flat(np.expand_dims(picture, axis)).squeeze(axis)
    for value in (1, 2):
        mask = picture == value
        assert np.array_equal(outline == value, mask & ~ndimage.binary_erosion(mask))


def test_the_edge_of_the_picture_is_outline():
    assert np.count_nonzero(outlines_if_flat(np.ones((6, 5, 1), np.uint8))) == 2 * 6 + 2 * 3


def test_distances_are_those_of_the_outlines():
    prediction, reference = discs(4), discs(0)
    for score, value in zip(score_case(label(prediction), label(reference), CLASSES), (1, 2), strict=True):
        outlines = []
        for array in (prediction, reference):
            mask = array[..., 0] == value
            outlines.append(mask & ~ndimage.binary_erosion(mask))
        there, back = (
            ndimage.distance_transform_edt(~other, sampling=(0.5, 0.7))[one]
            for one, other in (outlines, outlines[::-1])
        )
        assert score.hd100_mm == pytest.approx(max(there.max(), back.max()))
        assert score.hd95_mm == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
        assert score.assd_mm == pytest.approx(np.concatenate([there, back]).mean())
        assert score.n_reference == (reference == value).sum()
