"""What one-sided cases count under each policy."""

import pytest

from medsegan.metrics import METRICS, POLICY_MEANING, Status, settle

METRIC = {metric.name: metric for metric in METRICS}
DISTANCES = ["hd95", "hd100", "assd", "masd"]


@pytest.mark.parametrize("policy", POLICY_MEANING)
def test_values_of_found_classes_are_kept(make_score, policy):
    score = make_score("liver", dice=0.7, distance=4.0)
    assert settle(score, METRIC["dice"], policy) == 0.7
    assert settle(score, METRIC["hd95"], policy) == 4.0
    assert settle(score, METRIC["volume_difference"], policy) == 2.0


@pytest.mark.parametrize("policy", POLICY_MEANING)
def test_both_empty_never_counts(make_score, policy):
    score = make_score("liver", status=Status.BOTH_EMPTY)
    assert [settle(score, metric, policy) for metric in METRICS] == [None] * len(METRICS)


@pytest.mark.parametrize("status", [Status.MISSED, Status.FALSE_ALARM])
def test_penalise(make_score, status):
    score = make_score("liver", status=status, diagonal=321.0)
    assert settle(score, METRIC["dice"], "penalise") == 0.0
    assert settle(score, METRIC["iou"], "penalise") == 0.0
    assert [settle(score, METRIC[name], "penalise") for name in DISTANCES] == [321.0] * 4
    expected_ml = -10.0 if status is Status.MISSED else 12.0
    assert settle(score, METRIC["volume_difference"], "penalise") == expected_ml
    assert settle(score, METRIC["volume_error"], "penalise") == abs(expected_ml)


def test_penalise_has_no_relative_volume_for_an_empty_reference(make_score):
    relative = METRIC["relative_volume_difference"]
    assert settle(make_score("liver", status=Status.FALSE_ALARM), relative, "penalise") is None
    assert settle(make_score("liver", status=Status.MISSED), relative, "penalise") == -1.0


@pytest.mark.parametrize("status", [Status.MISSED, Status.FALSE_ALARM])
def test_exclude_and_zero(make_score, status):
    score = make_score("liver", status=status)
    assert [settle(score, metric, "exclude") for metric in METRICS] == [None] * len(METRICS)
    assert [settle(score, metric, "zero") for metric in METRICS] == [0.0] * len(METRICS)
