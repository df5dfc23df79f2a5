"""The demonstration beside what is there already."""

from pathlib import Path

import pytest
from road import run

Captured = pytest.CaptureFixture[str]


def test_the_demo_leaves_other_folders_alone(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "mine.txt").write_text("precious")
    assert run("demo", tmp_path, "--overwrite") == 2
    assert "other files" in capsys.readouterr().err
    assert (tmp_path / "scans" / "mine.txt").read_text() == "precious"
