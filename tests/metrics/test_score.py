"""Scores of whole cases: classes, grids, empty masks, speed."""

import math
import time

import numpy as np
import pytest

from medsegan.errors import DataError, UsageError
from medsegan.geometry import Grid
from medsegan.imaging.volume import LabelVolume
from medsegan.metrics import METRICS, Status, score_case, score_missing

CLASSES = {"liver": 1, "spleen": 2}


def label(array, spacing=(0.8, 0.8, 5.0), shift=(0.0, 0.0, 0.0)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = shift
    return LabelVolume(np.asarray(array, dtype=np.uint8), Grid(np.shape(array), affine))


def empty(shape=(12, 10, 8)):
    return np.zeros(shape, dtype=np.uint8)


@pytest.fixture
def reference():
    array = empty()
    array[2:6, 2:6, 2:5] = 1
    array[8:11, 2:6, 2:5] = 2
    return array


def test_golden_case_through_the_front_door(golden_masks):
    prediction, truth = golden_masks["H"]
    (score,) = score_case(label(prediction), label(truth), {"liver": 1})
    assert score.status is Status.OK
    assert score.dice == pytest.approx(0.98297, abs=5e-6)
    assert score.hd95_mm == pytest.approx(39.0383, abs=5e-5)
    assert score.hd100_mm == pytest.approx(47.3122, abs=5e-5)
    assert score.assd_mm == pytest.approx(1.9434, abs=5e-5)
    assert score.masd_mm == pytest.approx(1.8522, abs=5e-5)
    assert score.prediction_ml == pytest.approx(prediction.sum() * 0.8 * 0.8 * 5 / 1000)
    assert score.volume_difference_ml == pytest.approx(400 * 3.2 / 1000)
    assert (score.n_reference, score.n_prediction) == (truth.sum(), prediction.sum())


def test_oblique_affines_measure_with_the_lengths_of_their_columns(golden_masks):
    angle = 0.4
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-0.8, 0.8, 5.0])
    volumes = [LabelVolume(m.astype(np.uint8), Grid(m.shape, affine)) for m in golden_masks["H"]]
    (score,) = score_case(*volumes, {"liver": 1})
    assert score.hd95_mm == pytest.approx(39.0383, abs=5e-5)


def test_spacing_scales_distances_but_not_overlap(golden_masks):
    prediction, truth = golden_masks["A"]
    small, large = (score_case(label(prediction, s), label(truth, s), {"x": 1})[0] for s in [(1, 1, 2), (3, 3, 6)])
    assert large.hd95_mm == pytest.approx(3 * small.hd95_mm)
    assert large.assd_mm == pytest.approx(3 * small.assd_mm)
    assert large.reference_ml == pytest.approx(27 * small.reference_ml)
    assert large.dice == small.dice


def test_classes_are_scored_apart(reference):
    """Swapped organs are two failures, although the union is perfect."""
    swapped = np.select([reference == 1, reference == 2], [2, 1]).astype(np.uint8)
    scores = score_case(label(swapped), label(reference), CLASSES)
    assert [score.class_name for score in scores] == ["liver", "spleen"]
    assert [score.dice for score in scores] == [0.0, 0.0]
    assert all(score.hd100_mm > 0 for score in scores)


def test_values_that_are_not_asked_for_are_background(reference):
    other = reference.copy()
    other[0, 0, 0] = 7
    (score,) = score_case(label(other), label(reference), {"liver": 1})
    assert score.dice == 1.0


def test_large_values_and_two_names_of_one_value(reference):
    values = np.array([0, 2035, 14175], dtype=np.int32)
    volumes = [label(reference), label(np.roll(reference, 1, axis=0))]
    expected = score_case(*volumes, CLASSES)
    large = [LabelVolume(values[volume.array], volume.grid) for volume in volumes]
    found = score_case(*large, {"liver": 2035, "hepar": 2035, "spleen": 14175})
    assert [score.class_name for score in found] == ["liver", "hepar", "spleen"]
    for one, other in zip(found, (expected[0], expected[0], expected[1]), strict=True):
        assert [one.value(metric.name) for metric in METRICS] == [other.value(metric.name) for metric in METRICS]


def test_missed_class(reference):
    prediction = np.where(reference == 2, 0, reference)
    liver, spleen = score_case(label(prediction), label(reference), CLASSES)
    assert (liver.status, liver.dice, liver.hd95_mm) == (Status.OK, 1.0, 0.0)
    assert spleen.status is Status.MISSED
    assert (spleen.dice, spleen.iou) == (0.0, 0.0)
    assert [spleen.hd95_mm, spleen.hd100_mm, spleen.assd_mm, spleen.masd_mm] == [math.inf] * 4
    assert spleen.volume_difference_ml == -spleen.reference_ml < 0
    assert spleen.diagonal_mm == pytest.approx(math.hypot(12 * 0.8, 10 * 0.8, 8 * 5.0))


def test_false_alarm_and_both_empty(reference):
    liver, spleen = score_case(label(np.where(reference == 1, 1, 0)), label(empty()), CLASSES)
    assert (liver.status, liver.dice, liver.hd95_mm) == (Status.FALSE_ALARM, 0.0, math.inf)
    assert liver.value("relative_volume_difference") is None
    assert liver.value("volume_error") == liver.prediction_ml > 0
    assert spleen.status is Status.BOTH_EMPTY
    overlap_and_distance = [spleen.value(m.name) for m in METRICS if m.penalty != "itself"]
    assert overlap_and_distance == [None] * 6


def test_missing_prediction_misses_every_class(reference):
    present = np.where(reference == 2, 0, reference)
    liver, spleen = score_missing(label(present), CLASSES)
    assert liver.status is Status.MISSED
    assert (liver.n_reference, liver.n_prediction) == (48, 0)
    assert (spleen.status, spleen.dice, spleen.hd95_mm) == (Status.MISSED, 0.0, math.inf)


def test_grids_apart_are_refused_with_the_distance(reference):
    with pytest.raises(DataError, match=r"2\.5 mm"):
        score_case(label(reference, shift=(0, 0, 2.5)), label(reference), CLASSES)


def test_other_spacing_is_refused(reference):
    with pytest.raises(DataError, match=r"7 mm"):
        score_case(label(reference, spacing=(0.8, 0.8, 6.0)), label(reference), CLASSES)


def test_a_flipped_affine_is_refused_although_the_arrays_agree(reference):
    with pytest.raises(DataError, match="mm"):
        score_case(label(reference, spacing=(-0.8, 0.8, 5.0)), label(reference), CLASSES)


def test_other_shapes_are_refused(reference):
    with pytest.raises(DataError, match=r"\(12, 10, 7\).*\(12, 10, 8\).* 5 mm"):
        score_case(label(reference[..., :7]), label(reference), CLASSES)


def test_a_hundredth_of_a_voxel_is_allowed(reference):
    near, far = 0.8 * 0.009, 0.8 * 0.011
    assert score_case(label(reference, shift=(near, 0, 0)), label(reference), CLASSES)[0].dice == 1.0
    with pytest.raises(DataError):
        score_case(label(reference, shift=(far, 0, 0)), label(reference), CLASSES)


@pytest.mark.parametrize("classes", [{}, {"background": 0}])
def test_background_is_never_scored(reference, classes):
    with pytest.raises(UsageError):
        score_case(label(reference), label(reference), classes)
    with pytest.raises(UsageError):
        score_missing(label(reference), classes)


def test_a_stray_voxel_in_a_large_volume_costs_no_minutes():
    truth = np.zeros((384, 384, 120), dtype=np.uint8)
    truth[100:250, 100:250, 30:90] = 1
    prediction = np.roll(truth, 3, axis=0)
    prediction[0, 0, 0] = prediction[-1, -1, -1] = 1
    started = time.process_time()
    (score,) = score_case(label(prediction), label(truth), {"liver": 1})
    assert time.process_time() - started < 6.0  # about 0.3 s; a transform of the whole box takes over 10 s
    corner = np.array([134, 134, 30]) * (0.8, 0.8, 5.0)
    assert score.hd100_mm == pytest.approx(np.linalg.norm(corner))
