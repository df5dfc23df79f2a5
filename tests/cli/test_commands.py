"""What each command hands to the library and what it shows of the result; the library itself is played here."""

import json
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import medsegan.workflows
from medsegan.errors import InputError
from medsegan.progress import Progress
from medsegan.workflows.workspace import Workspace
from medsegan_cli import main


class Options(types.SimpleNamespace):
    """Whatever options a command passes."""


class Result(types.SimpleNamespace):
    """A result with the fields that a test gives it."""

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


class Stage:
    """A workflow that remembers how it was called, talks while it works, and returns what the test wants."""

    def __init__(self, result: Any) -> None:
        self.result = result
        self.calls: list[tuple[Any, Any]] = []

    def __call__(self, place: Any, options: Any, progress: Progress) -> Any:
        self.calls.append((place, options))
        progress.start("working", 2, "cases")
        progress.update(2)
        progress.note("auto took cpu")
        progress.finish()
        return self.result


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Stage]:
    """A function that puts a played workflow in the place of a real one."""

    def put(module: str, options_name: str, result: Any) -> Stage:
        stage = Stage(result)
        played = types.SimpleNamespace(**{module: stage, options_name: Options})
        monkeypatch.setitem(sys.modules, f"medsegan.workflows.{module}", played)  # type: ignore[arg-type]
        monkeypatch.setattr(medsegan.workflows, module, played, raising=False)
        return stage

    return put


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that is the current folder."""
    monkeypatch.chdir(tmp_path)
    return Workspace.create(tmp_path).root


def case(name: str, **volumes_ml: float) -> Result:
    shown = {"volumes_ml": volumes_ml, "residual": 0.05, "notes": ("auto took cpu",)}
    return Result(source=Path(name), output=Path("out") / name, seconds=2.4, **shown)


def given_options(options: Options, *, apart_from: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from these, which a command passes in any case."""
    return {name: value for name, value in vars(options).items() if apart_from.get(name, ...) != value}


def test_train_passes_on_what_was_typed_and_nothing_else(
    play: Callable[..., Stage], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = play("train", "TrainOptions", Result(run="nine", path=root / "runs" / "nine"))
    command = "train --labeled 0 --time-budget 1h30m --set a.b=1 --set c=x --device cpu --images 500"
    assert main.run(command.split()) == 0
    [(place, options)] = stage.calls
    assert place.root == root
    switches = {"resume": False, "overwrite": False, "dry_run": False}
    assert given_options(options, apart_from=switches) == {
        "labeled": 0,
        "time_budget_s": 5400.0,
        "settings": ("a.b=1", "c=x"),
        "device": "cpu",
        "images": 500,
    }
    output = capsys.readouterr()
    assert output.out == f"{root / 'runs' / 'nine'}\n"
    assert output.err.splitlines() == [
        "working: 2 cases",
        "working: 100 %  2 of 2 cases",
        "auto took cpu",
        "next: medsegan segment SCAN -o MASK.nii.gz --model nine",
    ]


def test_a_dry_run_shows_the_plan_as_a_record(
    play: Callable[..., Stage], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play("train", "TrainOptions", Result(run="nine", memory={"gb": 1.5}))
    assert main.run(["train", "--dry-run"]) == 0
    assert capsys.readouterr().out == "run        nine\nmemory.gb  1.500\n"


def test_segment_prints_paths_and_keeps_the_volumes_on_stderr(
    play: Callable[..., Stage], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = (case("a.nii.gz", liver=1500.4), case("b.nii.gz", liver=900.0, spleen=120.2))
    stage = play("segment", "SegmentOptions", Result(cases=cases, failures=(), skipped=(Path("out/c.nii.gz"),)))
    typed = "segment scans -o out --quality fast --steps 0 --objective structure"
    assert main.run(typed.split()) == 0
    options = stage.calls[0][1]
    assert (options.source, options.output) == (Path("scans"), Path("out"))
    assert (options.quality, options.steps, options.objective) == ("fast", 0, "structure")
    output = capsys.readouterr()
    assert output.out == "out/a.nii.gz\nout/b.nii.gz\n"
    assert output.err.splitlines()[-7:] == [
        "a.nii.gz: auto took cpu",
        "b.nii.gz: auto took cpu",
        "left 1 finished masks as they were (--skip-existing)",
        "mask      liver ml  spleen ml  residual  s",
        "--------  --------  ---------  --------  -",
        "a.nii.gz      1500          -     0.050  2",
        "b.nii.gz       900        120     0.050  2",
    ]


def test_a_batch_with_failures_is_8_and_one_without_success_is_4(
    play: Callable[..., Stage], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = (Result(source=Path("bad.nii"), message="the affine\nis singular"),)
    play("segment", "SegmentOptions", Result(cases=(case("a.nii.gz"),), failures=failures, skipped=()))
    assert main.run(["segment", "scans", "-o", "out"]) == 8
    output = capsys.readouterr()
    assert output.out == "out/a.nii.gz\n"
    assert "bad.nii  the affine is singular\n" in output.err
    assert output.err.endswith("medsegan: error: 1 of 2 cases failed, the others are done; see the table above\n")
    play("segment", "SegmentOptions", Result(cases=(), failures=failures, skipped=()))
    assert main.run(["segment", "scans", "-o", "out"]) == 4


def test_json_is_the_only_thing_on_stdout_even_when_cases_failed(
    play: Callable[..., Stage], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = (Result(source=Path("bad.nii"), message="too short"),)
    play("segment", "SegmentOptions", Result(cases=(case("a.nii.gz", liver=1.0),), failures=failures, skipped=()))
    assert main.run(["segment", "scans", "-o", "out", "--json"]) == 8
    output = capsys.readouterr()
    document = json.loads(output.out)
    assert document["cases"][0]["volumes_ml"] == {"liver": 1.0}
    assert document["failures"][0]["message"] == "too short"
    assert "working" not in output.err
    assert "auto took cpu" in output.err


def test_a_model_named_by_its_path_needs_no_workspace(
    play: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stage = play("segment", "SegmentOptions", Result(cases=(), failures=(), skipped=()))
    assert main.run(["segment", "scan.nii", "-o", "mask.nii"]) == InputError.exit_code
    assert main.run(["segment", "scan.nii", "-o", "mask.nii", "--model", "nine"]) == InputError.exit_code
    assert stage.calls == []
    (tmp_path / "model").mkdir()
    assert main.run(["segment", "scan.nii", "-o", "mask.nii", "--model", "model"]) == 0
    assert stage.calls[0][0] is None
    elsewhere = ["-C", str(tmp_path / "no"), "segment", "scan.nii", "-o", "mask.nii", "--model", "model"]
    assert main.run(elsewhere) == InputError.exit_code


def test_the_workspace_is_taken_before_or_after_the_command(
    play: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second, third = (Workspace.create(tmp_path / name).root for name in ("first", "second", "third"))
    stage = play("train", "TrainOptions", Result(run="r", path=Path("r")))
    monkeypatch.setenv("MEDSEGAN_WORKSPACE", str(third))
    for arguments in (["train"], ["-C", "first", "train"], ["-C", "first", "train", "-C", "second"]):
        assert main.run(arguments) == 0
    assert [place.root for place, _ in stage.calls] == [third, first, second]


def test_no_workspace_is_one_line_that_says_what_to_do(
    play: Callable[..., Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    play("train", "TrainOptions", None)
    assert main.run(["train"]) == InputError.exit_code
    shown = capsys.readouterr().err
    assert shown.startswith("medsegan: error: no medsegan.toml in ")
    assert "medsegan prepare" in shown


def test_info_is_a_record_or_a_document_with_or_without_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def collect_info(workspace: Workspace | None) -> dict[str, Any]:
        return {"torch": "2.13", "workspace": None if workspace is None else {"root": workspace.root}}

    played = types.SimpleNamespace(collect_info=collect_info)
    monkeypatch.setitem(sys.modules, "medsegan.workflows.info", played)  # type: ignore[arg-type]
    monkeypatch.chdir(tmp_path)
    assert main.run(["info"]) == 0
    assert capsys.readouterr().out == "torch      2.13\nworkspace  -\n"
    assert main.run(["info", "-C", "nowhere"]) == InputError.exit_code
    Workspace.create(tmp_path)
    capsys.readouterr()
    assert main.run(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"torch": "2.13", "workspace": {"root": str(tmp_path)}}


def test_the_demo_shows_its_table_and_where_the_pictures_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_demo(options: Options, progress: Progress) -> Result:
        assert vars(options) == {"folder": Path("there"), "phantoms_only": False, "overwrite": False, "seed": 3}
        rows = (("joint GAN", "CT", "0.9"), ("U-Net", "CT", "-"))
        return Result(
            headers=("Dice", "tested on", "liver"), rows=rows, pictures=(Path("there/a.png"),), seconds=700
        )

    played = types.SimpleNamespace(DemoOptions=Options, run_demo=run_demo)
    monkeypatch.setitem(sys.modules, "medsegan.workflows.demo", played)  # type: ignore[arg-type]
    assert main.run(["demo", "there", "--seed", "3"]) == 0
    output = capsys.readouterr()
    assert output.out.splitlines() == [
        "Dice       tested on  liver",
        "---------  ---------  -----",
        "joint GAN  CT           0.9",
        "U-Net      CT             -",
        "there/a.png",
    ]
    assert output.err == "done in 11:40; everything is in there\n"
