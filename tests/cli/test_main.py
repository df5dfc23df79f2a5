"""The door of the command line: one line for a person, one exit code for a script."""

import subprocess
import sys
from collections.abc import Callable

import pydantic
import pytest
import typer

from medsegan import __version__, errors
from medsegan_cli import main
from medsegan_cli.explain import explain

CODES = {
    errors.MedseganError: 1,
    errors.UsageError: 2,
    errors.InputError: 3,
    errors.DataError: 4,
    errors.NothingToDoError: 5,
    errors.ModelError: 6,
    errors.OutOfMemoryError: 7,
    errors.PartialSuccessError: 8,
    errors.DeviceError: 9,
    errors.QualityGateError: 10,
}


@pytest.fixture
def run_raising(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """A function that runs a command line whose only command raises the error given."""

    def run(error: BaseException, *before: str) -> int:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)

        @app.callback()
        def options(context: typer.Context, verbose: bool = False) -> None:
            context.obj.is_verbose = verbose

        @app.command("work")
        def work() -> None:
            raise error

        monkeypatch.setattr(main, "app", app)
        return main.run([*before, "work"])

    return run


def test_every_error_of_the_library_has_its_documented_code() -> None:
    assert {kind for kind in vars(errors).values() if isinstance(kind, type)} - {errors.ClassVar} == set(CODES)


@pytest.mark.parametrize(("kind", "code"), CODES.items())
def test_an_error_of_the_user_is_one_line_on_stderr(
    run_raising: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    kind: type[errors.MedseganError],
    code: int,
) -> None:
    assert run_raising(kind("a.nii is 3 mm off;\n  resample it")) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "medsegan: error: a.nii is 3 mm off; resample it\n"


def test_a_choice_is_shown_as_a_table(run_raising: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run_raising(errors.DataError("scan: holds 2 series;\n ask for one:\n  1: 12 slices\n  2: 19 slices")) == 4
    )
    shown = "medsegan: error: scan: holds 2 series; ask for one:\n  1: 12 slices\n  2: 19 slices\n"
    assert capsys.readouterr().err == shown


def test_an_unexpected_error_is_one_line_and_a_hint(
    run_raising: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_raising(ZeroDivisionError("division by zero")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("medsegan: error: unexpected ZeroDivisionError: division by zero (")
    assert "-v" in lines[0]


def test_verbose_shows_the_traceback_before_the_line(
    run_raising: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_raising(errors.DataError("labels differ"), "--verbose") == 4
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert "raise error" in shown
    assert shown.endswith("medsegan: error: labels differ\n")


def test_an_interrupt_is_130(run_raising: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_raising(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "medsegan: error: interrupted\n"


def test_memory_that_ran_out_is_7(run_raising: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_raising(MemoryError()) == 7
    assert "smaller" in capsys.readouterr().err
    assert run_raising(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")) == 7
    assert run_raising(RuntimeError("shapes do not match")) == 1


def test_memory_of_a_gpu_that_ran_out_is_7(monkeypatch: pytest.MonkeyPatch) -> None:
    class GpuOutOfMemoryError(RuntimeError):
        pass

    monkeypatch.setitem(sys.modules, "torch", type("torch", (), {"OutOfMemoryError": GpuOutOfMemoryError}))
    explanation = explain(GpuOutOfMemoryError("tried to allocate 20 GiB"))
    assert explanation.exit_code == 7
    assert "20 GiB" in explanation.text


def test_a_setting_of_the_wrong_kind_is_named_by_its_path() -> None:
    class Generator(pydantic.BaseModel):
        channels: int

    class Config(pydantic.BaseModel):
        generator: Generator

    with pytest.raises(pydantic.ValidationError) as caught:
        Config.model_validate({"generator": {"channels": "many"}})
    explanation = explain(caught.value)
    assert explanation.exit_code == 2
    assert "generator.channels: " in explanation.text
    assert "'many'" in explanation.text


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["fly"], "No such command 'fly'"),
        (["train", "--labelled", "9"], "medsegan train --help"),
        (["train", "--labeled", "nine"], "valid integer"),
        (["train", "--labeled", "-1"], "'--labeled'"),
        (["train", "--method", "magic"], "magic"),
        (["segment", "scan.nii.gz"], "--output"),
        (["eval"], "--domain"),
        (["prepare"], "PATH"),
        (["--lost"], "medsegan --help"),
    ],
)
def test_a_mistyped_command_line_is_one_line_and_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    assert main.run(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert output.err.startswith("medsegan: error: ")
    assert word in output.err


def test_no_arguments_show_the_help_and_count_as_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    assert capsys.readouterr().out.startswith("Usage: medsegan ")


def test_the_version_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr() == (f"medsegan {__version__}\n", "")


def test_main_ends_the_process_with_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["medsegan", "--version"])
    with pytest.raises(SystemExit) as ending:
        main.main()
    assert ending.value.code == 0


def test_a_reader_that_goes_away_leaves_no_traceback() -> None:
    program = [sys.executable, "-m", "medsegan", "--help"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        process.wait(timeout=60)
    assert b"Traceback" not in said
    assert process.returncode == 1


def test_closed_stdout_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # as Python has it after `medsegan ... >&-`
    assert main.run(["--version"]) == 0


def test_what_may_not_be_read_is_the_input(
    run_raising: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_raising(PermissionError(13, "Permission denied", "key.json")) == 3
    said = "medsegan: error: key.json: Permission denied; change who may read and write it\n"
    assert capsys.readouterr().err == said
