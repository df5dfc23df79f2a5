"""The table that a reader sees."""

from dataclasses import replace

import pytest

from medsegan.metrics import CaseScores, EvaluationReport, Status, tabulate


@pytest.fixture
def report(make_score):
    rows = tuple(
        CaseScores(
            f"c{n}",
            f"p{n}",
            (
                make_score("liver", dice=0.8, distance=3.25),
                make_score("spleen", status=Status.MISSED if n == 0 else Status.OK),
            ),
        )
        for n in range(5)
    )
    return EvaluationReport("gan-9", "ct", True, "test", "penalise", rows)


def test_rows_are_the_classes_and_their_mean(report):
    table = tabulate(report)
    assert [row[0] for row in table.rows] == ["liver", "spleen", "mean"]
    assert {len(row) for row in table.rows} == {len(table.headers)}
    assert table.rows[0] == ("liver", "0.800 [0.800, 0.800]", "3.2", "3.2", "3.2", "+2.0", "0 of 5", "0 of 0")
    assert table.rows[1][0] == "spleen"
    assert table.rows[1][1].startswith("0.640 [")
    assert table.rows[1][2] == f"{(4 * 3 + 500) / 5:.1f}"
    assert table.rows[1][5:7] == (f"{(4 * 2 - 10) / 5:+.1f}", "1 of 5")
    assert table.rows[2][6] == "1 of 10"


def test_the_domain_is_stated(report):
    assert "in-domain" in tabulate(report).title
    outside = tabulate(replace(report, in_domain=False)).title
    assert "OUT-OF-DOMAIN" in outside
    assert "in-domain" not in outside


def test_few_patients_have_no_interval(report):
    table = tabulate(replace(report, rows=report.rows[:3]))
    assert table.rows[0][1] == "0.800"
    assert any("3 patients is not meaningful" in note for note in table.notes)


def test_the_policy_is_stated(report):
    assert any("penalise" in note and "diagonal" in note for note in tabulate(report).notes)
    assert any("1 of them left out" in note for note in tabulate(replace(report, policy="exclude")).notes)


def test_a_class_without_values_is_a_dash(make_score):
    rows = (CaseScores("c", "p", (make_score("liver", status=Status.BOTH_EMPTY),)),)
    table = tabulate(EvaluationReport("run", "ct", True, "test", "penalise", rows))
    assert table.rows[0] == ("liver", "-", "-", "-", "-", "-", "0 of 0", "0 of 1")


def test_markdown_has_a_line_for_every_row(report):
    table = tabulate(report)
    lines = [line for line in table.markdown().splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(table.rows)
    assert {line.count("|") for line in lines} == {len(table.headers) + 1}
    assert lines[2].startswith("| liver | 0.800 [0.800, 0.800] |")
