"""Every command explains itself with examples that its own parser accepts."""

import dataclasses
import inspect
import re
import shlex
from collections.abc import Callable

import pytest
import typer

from medsegan.training.config import TrainConfig
from medsegan.workflows.conversion.options import ConvertOptions
from medsegan.workflows.learning.options import TrainOptions
from medsegan.workflows.preparation.options import PrepareOptions
from medsegan.workflows.preparation.split_settings import DEFAULT_SPLIT
from medsegan.workflows.segmentation.options import SegmentOptions
from medsegan_cli import app as app_module
from medsegan_cli import convert, demo, evaluate, info, main, prepare, segment, train, verify

COMMANDS = {
    "prepare": prepare.EXAMPLES,
    "train": train.EXAMPLES,
    "segment": segment.EXAMPLES,
    "eval": evaluate.EXAMPLES,
    "convert": convert.EXAMPLES,
    "verify": verify.EXAMPLES,
    "info": info.EXAMPLES,
    "doctor": info.EXAMPLES,
    "demo": demo.EXAMPLES,
}
ALL_EXAMPLES = [example for examples in (app_module.EXAMPLES, *COMMANDS.values()) for example in examples]


def help_of(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert main.run([*command, "--help"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    shown = help_of(capsys)
    listed = re.findall(
        r"^  (\w+)  ", shown.partition("Commands:")[2].partition("Examples:")[0], flags=re.MULTILINE
    )
    assert listed == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_ends_with_its_examples(capsys: pytest.CaptureFixture[str], name: str) -> None:
    shown = help_of(capsys, name)
    assert shown.partition("Examples:\n")[2].splitlines() == [f"    {example}" for example in COMMANDS[name]]
    assert not any("\b" in line for line in shown.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_described(name: str) -> None:
    command = typer.main.get_command(app_module.app).commands[name]  # type: ignore[attr-defined]
    assert [option.name for option in command.params if not option.help] == []


@pytest.mark.parametrize("example", ALL_EXAMPLES)
def test_every_example_is_understood(example: str) -> None:
    words = shlex.split(re.split(r" {3,}| > ", example)[0])
    assert words[0] == "medsegan"
    group = typer.main.get_command(app_module.app)
    command = group.commands[words[1]]  # type: ignore[attr-defined]
    with command.make_context(words[1], words[2:]) as context:
        assert context.args == []


def test_the_defaults_in_the_help_are_those_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    shown = {name: " ".join(help_of(capsys, name).split()) for name in ("prepare", "train", "segment")}
    assert f"for validation; default {DEFAULT_SPLIT.val_fraction:g}." in shown["prepare"]
    assert f"for the test; default {DEFAULT_SPLIT.test_fraction:g}." in shown["prepare"]
    assert f"every random choice; default {DEFAULT_SPLIT.seed}." in shown["prepare"]
    assert TrainConfig.model_fields["seed"].default == DEFAULT_SPLIT.seed
    assert f"{TrainOptions.preset} (default)" in shown["train"]
    assert f"Where to compute; default {TrainOptions.device}" in shown["train"]
    assert f"{SegmentOptions.quality} (default)" in shown["segment"]
    assert f"{SegmentOptions.objective} (default)" in shown["segment"]
    assert f"Where to compute; default {SegmentOptions.device}" in shown["segment"]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (prepare.prepare, PrepareOptions),
        (train.train, TrainOptions),
        (segment.segment, SegmentOptions),
        (convert.convert, ConvertOptions),
    ],
)
def test_a_command_and_the_options_of_its_workflow_have_the_same_names(
    command: Callable[..., None], options: type
) -> None:
    own = {"context", "json", "workspace"}
    renamed = {"time_budget": "time_budget_s", "is_mask": "kind"}
    typed = {renamed.get(name, name) for name in inspect.signature(command).parameters if name not in own}
    assert typed == {field.name for field in dataclasses.fields(options)} - {"show_names"}  # -v, of all commands
