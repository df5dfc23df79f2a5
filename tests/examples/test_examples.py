"""The examples run as their first lines say, on the smallest of budgets."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def main_of(name: str) -> Callable[..., Any]:
    """The main function of an example, without running the example."""
    return runpy.run_path(str(EXAMPLES / name))["main"]  # type: ignore[no-any-return]


def test_every_example_says_how_to_run_it() -> None:
    scripts = sorted(EXAMPLES.glob("*.py"))
    assert [script.name for script in scripts] == ["own_phantoms.py", "segment_from_python.py"]
    for script in scripts:
        assert f"python examples/{script.name}" in script.read_text(encoding="utf-8")


def test_own_phantoms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_of("own_phantoms.py")(tmp_path / "phantoms", n_cases=1)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ct_000.nii.gz: (")
    assert [line.split()[0] for line in lines[1:]] == ["liver", "spleen", "right_kidney", "left_kidney"]
    assert (tmp_path / "phantoms" / "labels" / "ct_000.nii.gz").is_file()


def test_segment_from_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main_of("segment_from_python.py")(tmp_path, n_cases=6, n_images=64)
    shown = capsys.readouterr().out
    assert (tmp_path / "new_mask.nii.gz").is_file()
    assert "in-domain" in shown
    assert "liver" in shown
