"""Aggregation: means that get worse with every miss, and never nan."""

import json

import numpy as np
import pytest

from medsegan.geometry import Grid
from medsegan.imaging.volume import LabelVolume
from medsegan.metrics import CaseScores, Detection, EvaluationReport, Status, score_case, score_missing

MISSED, FALSE_ALARM, BOTH_EMPTY = Status.MISSED, Status.FALSE_ALARM, Status.BOTH_EMPTY


def report_of(rows, policy="penalise"):
    return EvaluationReport("run", "ct", True, "test", policy, tuple(rows))


def one_class(make_score, *arguments, policy="penalise"):
    rows = [CaseScores(f"c{n}", f"p{n}", (make_score("liver", **a),)) for n, a in enumerate(arguments)]
    return report_of(rows, policy).summary().classes[0]


@pytest.fixture(scope="module")
def four_cases_of_which_k_are_missed():
    """Four equal cases, HD95 3.2 mm each, of which k have no prediction: MONAI's mean says 3.2 mm for every k."""
    truth = np.zeros((30, 30, 12), dtype=np.uint8)
    truth[5:15, 5:20, 3:9] = 1
    grid = Grid(truth.shape, np.diag([0.8, 0.8, 5.0, 1.0]))
    reference = LabelVolume(truth, grid)
    answers = {
        "found": LabelVolume(np.roll(truth, 4, axis=0), grid),
        "empty": LabelVolume(np.zeros_like(truth), grid),
    }

    def build(n_missed, how, policy="penalise"):
        rows = []
        for n in range(4):
            answer = how if n < n_missed else "found"
            if answer == "no file":
                scores = score_missing(reference, {"liver": 1})
            else:
                scores = score_case(answers[answer], reference, {"liver": 1})
            rows.append(CaseScores(f"c{n}", f"p{n}", scores))
        return report_of(rows, policy).summary().classes[0]

    return build


@pytest.mark.parametrize("how", ["empty", "no file"])
def test_means_get_worse_as_the_model_misses_more(four_cases_of_which_k_are_missed, how):
    summaries = [four_cases_of_which_k_are_missed(k, how) for k in range(5)]
    for name in ("hd95", "hd100", "assd", "masd"):
        means = [summary.metric(name).mean for summary in summaries]
        assert means == sorted(means)
        assert len(set(means)) == 5
    dices = [summary.metric("dice").mean for summary in summaries]
    assert dices == sorted(dices, reverse=True)
    assert len(set(dices)) == 5
    assert summaries[0].metric("hd95").mean == pytest.approx(3.2)
    diagonal = float(np.linalg.norm([30 * 0.8, 30 * 0.8, 12 * 5.0]))
    assert summaries[1].metric("hd95").mean == pytest.approx((3 * 3.2 + diagonal) / 4)
    assert [str(s.detection) for s in summaries] == [f"missed {k} of 4, false alarms 0 of 0" for k in range(5)]
    assert {summary.metric("hd95").n for summary in summaries} == {4}


def test_exclude_is_the_documented_trap_and_says_how_many_it_left_out(four_cases_of_which_k_are_missed):
    summaries = [four_cases_of_which_k_are_missed(k, "empty", "exclude") for k in (0, 1, 3)]
    assert [s.metric("hd95").mean for s in summaries] == pytest.approx([3.2, 3.2, 3.2])
    assert [s.metric("hd95").n for s in summaries] == [4, 3, 1]
    assert [s.n_left_out for s in summaries] == [0, 1, 3]


def test_statistics_over_cases(make_score):
    dices = [0.5, 0.6, 0.8, 0.9, 0.95]
    dice = one_class(make_score, *({"dice": d} for d in dices)).metric("dice")
    assert dice.n == 5
    assert dice.mean == pytest.approx(np.mean(dices))
    assert dice.sd == pytest.approx(np.std(dices, ddof=1))
    assert dice.median == 0.8
    assert dice.quartiles == pytest.approx((0.6, 0.9))
    assert dice.interval.low < dice.mean < dice.interval.high
    assert [(s.origin, s.value) for s in dice.worst] == [("c0", 0.5), ("c1", 0.6), ("c2", 0.8)]


def test_worst_distances_are_the_largest(make_score):
    hd95 = one_class(make_score, {"distance": 1.0}, {"distance": 9.0}, {"status": MISSED}).metric("hd95")
    assert [(s.origin, s.value) for s in hd95.worst] == [("c2", 500.0), ("c1", 9.0), ("c0", 1.0)]


def test_a_single_case_has_no_standard_deviation(make_score):
    dice = one_class(make_score, {"dice": 0.5}).metric("dice")
    assert (dice.n, dice.mean, dice.sd) == (1, 0.5, None)
    assert not dice.interval.meaningful


def test_detection_counts(make_score):
    states = [Status.OK, MISSED, MISSED, FALSE_ALARM, BOTH_EMPTY, BOTH_EMPTY]
    summary = one_class(make_score, *({"status": s} for s in states))
    assert summary.detection == Detection(n_ok=1, n_missed=2, n_false_alarm=1, n_both_empty=2)
    assert str(summary.detection) == "missed 2 of 3, false alarms 1 of 3"
    assert summary.metric("dice").n == 4
    assert summary.metric("dice").mean == pytest.approx(0.8 / 4)


def test_a_class_that_is_nowhere_does_not_turn_the_mean_into_nan(make_score):
    rows = [
        CaseScores(f"c{n}", f"p{n}", (make_score("liver", dice=0.6), make_score("uterus", status=BOTH_EMPTY)))
        for n in range(2)
    ]
    summary = report_of(rows).summary()
    nowhere = summary.classes[1].metric("dice")
    assert (nowhere.n, nowhere.mean, nowhere.interval) == (0, None, None)
    assert summary.mean.metric("dice").mean == pytest.approx(0.6)
    json.dumps(nowhere.to_json(), allow_nan=False)


def test_the_mean_over_classes_weighs_patients_equally(make_score):
    """Patient a has three scans, and no spleen; patient b has one scan with both."""
    nothing = make_score("spleen", status=BOTH_EMPTY)
    rows = [CaseScores(f"a{n}", "a", (make_score("liver", dice=0.9), nothing)) for n in range(3)]
    rows.append(CaseScores("b0", "b", (make_score("liver", dice=0.4), make_score("spleen", dice=0.2))))
    summary = report_of(rows).summary()
    mean = summary.mean.metric("dice")
    assert mean.n == 2
    assert mean.mean == pytest.approx((0.9 + 0.3) / 2)
    assert [sample.origin for sample in mean.worst] == ["b", "a"]
    liver = summary.classes[0].metric("dice")
    assert liver.n == 4
    assert liver.mean == pytest.approx((3 * 0.9 + 0.4) / 4)
    assert liver.interval.n == 2


def test_asking_twice_gives_the_same_answer(make_score):
    rows = [CaseScores(f"c{n}", f"p{n}", (make_score("liver", dice=0.1 * n),)) for n in range(6)]
    report = report_of(rows)
    assert report.summary() == report.summary()
    assert report.summary() == report_of(reversed(rows)).summary()
