"""The README says what is true: its commands parse, its exit codes are those of the code, its paths are there."""

import re
import shlex

import pytest
import typer
from source_tree import ROOT

from medsegan import errors
from medsegan_cli.app import app
from medsegan_cli.explain import INTERRUPTED, UNEXPECTED

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^medsegan .*$", README, flags=re.MULTILINE)


def test_the_first_lines_are_the_two_commands_to_begin_with() -> None:
    assert [line.split("#")[0].strip() for line in README.splitlines()[:2]] == ["make demo", "make test"]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    words = shlex.split(line.split(" > ")[0])
    command = typer.main.get_command(app).commands[words[1]]  # type: ignore[attr-defined]
    with command.make_context(words[1], words[2:]) as context:
        assert context.args == []


def test_all_four_verbs_are_shown() -> None:
    assert {line.split()[1] for line in COMMANDS} >= {"prepare", "train", "segment", "eval"}


def test_the_table_of_exit_codes_is_complete() -> None:
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", README, flags=re.MULTILINE)]
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    raised = {kind.exit_code for kind in kinds if issubclass(kind, errors.MedseganError)}
    assert listed == sorted({0, UNEXPECTED, INTERRUPTED} | raised)


def test_every_folder_and_file_it_names_is_there() -> None:
    named = re.findall(r"`((?:medsegan|cli|cuda_ext|examples|benchmarks|tests)/[\w./]*|[A-Z]+(?:\.md)?)`", README)
    paths = [name for name in named if name != "MEDSEGAN_WORKSPACE"]
    assert len(paths) > 8
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("target", re.findall(r"^\s*make (\w+)", README, flags=re.MULTILINE))
def test_every_make_target_it_names_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
