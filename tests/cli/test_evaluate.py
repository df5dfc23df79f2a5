"""`medsegan eval` shows the table of the report and says where the files are."""

import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import medsegan.workflows
from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume
from medsegan.metrics import CaseScores, EvaluationReport, score_case
from medsegan.progress import Progress
from medsegan.workflows.workspace import Workspace
from medsegan_cli import main


class Result(types.SimpleNamespace):
    """What the workflow hands back."""

    def to_json(self) -> dict[str, Any]:
        return {"report": self.report.to_json(), "csv": self.csv}


def report() -> EvaluationReport:
    """One patient whose liver is found and whose spleen is missed."""
    reference = np.zeros((12, 12, 12), dtype=np.uint8)
    reference[2:8, 2:8, 2:8] = 1
    reference[9:11, 9:11, 9:11] = 2
    grid = Grid(reference.shape, np.eye(4))
    found = LabelVolume(np.where(reference == 1, reference, 0), grid)
    scores = score_case(found, LabelVolume(reference, grid), {"liver": 1, "spleen": 2})
    return EvaluationReport("nine", "mri", False, "test", "penalise", (CaseScores("c1", "p1", scores),))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The options that the command asked the played workflow with, in a workspace."""
    calls: list[Any] = []

    def evaluate(workspace: Workspace, options: Any, progress: Progress) -> Result:
        calls.append(options)
        return Result(report=report(), csv=Path("r.csv"), json=Path("r.json"), picture=None, failures=())

    played = types.SimpleNamespace(evaluate=evaluate, EvaluateOptions=types.SimpleNamespace)
    monkeypatch.setitem(sys.modules, "medsegan.workflows.evaluate", played)  # type: ignore[arg-type]
    monkeypatch.setattr(medsegan.workflows, "evaluate", played, raising=False)
    monkeypatch.chdir(tmp_path)
    Workspace.create(tmp_path)
    return calls


def test_the_table_is_the_result_and_the_paths_are_not(
    asked: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["eval", "--domain", "mri", "--run", "nine"]) == 0
    given = {"domain": "mri", "overwrite": False, "resample_labels": False, "run": "nine"}
    assert vars(asked[0]) == {**given, "show_names": False}
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert "OUT-OF-DOMAIN" in lines[0]
    header = next(line for line in lines if line.startswith("class"))
    rows = {line.split()[0]: line for line in lines if line.split()[:1] in (["liver"], ["spleen"], ["mean"])}
    assert list(rows) == ["liver", "spleen", "mean"]
    assert "1.000" in rows["liver"]
    assert all(len(row) == len(header) for row in rows.values())
    assert output.err.splitlines() == ["wrote r.csv", "wrote r.json"]


def test_json_is_the_report(asked: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["eval", "--domain", "mri", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["report"]["in_domain"] is False
    assert document["csv"] == "r.csv"
