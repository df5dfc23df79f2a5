"""The files of a report: long table and summary."""

import csv
import json
from dataclasses import replace

import pytest

from medsegan.errors import DataError, NothingToDoError
from medsegan.metrics import METRICS, CaseScores, EvaluationReport, Status

PROMISED = "case,patient,domain,class,metric,value,status,unit,n_ref,n_pred,ml_ref,ml_pred"


@pytest.fixture
def report(make_score):
    states = [Status.OK, Status.OK, Status.MISSED, Status.FALSE_ALARM, Status.BOTH_EMPTY]
    rows = tuple(
        CaseScores(f"c{n}", f"p{n}", (make_score("liver", dice=0.6 + n / 100), make_score("spleen", status=state)))
        for n, state in enumerate(states)
    )
    return EvaluationReport("gan-9", "mri", False, "test", "penalise", rows)


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_long_table_has_the_promised_columns_and_a_row_for_everything(report, tmp_path):
    report.write_csv(tmp_path / "long.csv")
    assert (tmp_path / "long.csv").read_text(encoding="utf-8").splitlines()[0] == PROMISED
    rows = read_csv(tmp_path / "long.csv")
    keys = {(row["case"], row["class"], row["metric"]) for row in rows}
    assert len(rows) == len(keys) == 5 * 2 * len(METRICS)
    assert {row["domain"] for row in rows} == {"mri"}


def test_the_long_table_holds_raw_values(report, tmp_path):
    report.write_csv(tmp_path / "long.csv")
    rows = {(row["case"], row["class"], row["metric"]): row for row in read_csv(tmp_path / "long.csv")}
    assert float(rows["c1", "liver", "dice"]["value"]) == report.rows[1].scores[0].dice
    assert rows["c1", "liver", "dice"]["unit"] == "1"
    missed = rows["c2", "spleen", "hd95"]
    assert (missed["value"], missed["status"], missed["unit"]) == ("inf", "missed", "mm")
    assert (missed["n_ref"], missed["n_pred"], missed["ml_ref"], missed["ml_pred"]) == ("1000", "0", "10.0", "0.0")
    assert rows["c2", "spleen", "dice"]["value"] == "0.0"
    assert rows["c3", "spleen", "dice"]["status"] == "false_alarm"
    assert rows["c3", "spleen", "relative_volume_difference"]["value"] == ""
    both_empty = rows["c4", "spleen", "hd95"]
    assert (both_empty["value"], both_empty["status"]) == ("", "both_empty")


def test_the_summary_document(report, tmp_path):
    report.write_json(tmp_path / "summary.json")

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    document = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert document == report.to_json()
    assert (document["run"], document["domain"], document["in_domain"]) == ("gan-9", "mri", False)
    assert (document["split"], document["empty_policy"]) == ("test", "penalise")
    assert (document["n_cases"], document["n_patients"]) == (5, 5)
    assert document["bootstrap"] == {
        "over": "patients",
        "method": "percentile",
        "resamples": 2000,
        "level": 0.95,
        "seed": 0,
    }
    assert set(document["definitions"]) == {metric.name for metric in METRICS}
    spleen = document["classes"]["spleen"]
    assert spleen["detection"] == {"missed": 1, "expected": 3, "false_alarms": 1, "absent": 2, "both_empty": 1}
    hd95 = spleen["metrics"]["hd95"]
    assert (hd95["n"], hd95["mean"], hd95["unit"]) == (4, (3.0 + 3.0 + 500.0 + 500.0) / 4, "mm")
    assert set(hd95) == {"unit", "n", "mean", "sd", "median", "quartiles", "interval", "worst"}
    assert set(hd95["interval"]) == {"low", "high", "n_patients", "meaningful"}
    assert [one["id"] for one in hd95["worst"]] == ["c2", "c3", "c0"]
    assert document["mean_over_classes"]["metrics"]["dice"]["n"] == 5


def test_few_patients_are_said_to_be_few(report):
    few = replace(report, rows=report.rows[:3]).to_json()
    assert few["mean_over_classes"]["metrics"]["dice"]["interval"]["meaningful"] is False
    assert report.to_json()["mean_over_classes"]["metrics"]["dice"]["interval"]["meaningful"] is True


def test_the_policy_reaches_the_numbers(report):
    hd95 = {
        policy: replace(report, policy=policy).to_json()["classes"]["spleen"]["metrics"]["hd95"]["mean"]
        for policy in ("penalise", "exclude", "zero")
    }
    assert hd95 == {"penalise": 251.5, "exclude": 3.0, "zero": 1.5}
    assert replace(report, policy="exclude").to_json()["classes"]["spleen"]["left_out"] == 2


def test_the_seed_reaches_the_interval(report, make_score):
    dices = [0.31, 0.42, 0.55, 0.58, 0.67, 0.71, 0.83, 0.94]
    rows = tuple(CaseScores(f"c{n}", f"p{n}", (make_score("liver", dice=d),)) for n, d in enumerate(dices))
    zero, again, one = (
        replace(report, rows=rows, seed=seed).summary().mean.metric("dice").interval for seed in (0, 0, 1)
    )
    assert zero == again
    assert zero != one


def test_an_empty_report_is_refused():
    with pytest.raises(NothingToDoError, match="'test'"):
        EvaluationReport("run", "ct", True, "test", "penalise", ())


def test_inconsistent_rows_are_refused(report, make_score):
    with pytest.raises(DataError, match="c0 occurs twice"):
        replace(report, rows=(*report.rows, report.rows[0]))
    with pytest.raises(DataError, match="odd"):
        replace(report, rows=(*report.rows, CaseScores("odd", "p", (make_score("liver"),))))
