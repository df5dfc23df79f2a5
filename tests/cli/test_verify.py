"""`medsegan verify`: the table on stdout, the rest on stderr, and an exit code that says whether to go on."""

import json
from pathlib import Path

import numpy as np
import pytest
from verify_scenes import change, edit, write_clean_case, write_clean_set

from medsegan_cli import main
from medsegan_cli.verify import MOST_ROWS_OF_A_KIND


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return write_clean_set(tmp_path / "set")


def test_a_clean_set_is_one_line(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["verify", str(clean)]) == 0
    output = capsys.readouterr()
    assert output.out == "5 scans of 5 patients, 5 with labels: nothing wrong was found\n"
    assert output.err.startswith(
        "two folders, images/ and labels/ with equal names: 5 cases, 5 of them with labels\n"
    )


def test_warnings_alone_are_no_failure(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(clean / "labels/c1.nii.gz", ..., 0)
    assert main.run(["verify", str(clean)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["severity", "case", "what", "measured", "what", "to", "do"]
    assert table[2].startswith("warning   c1    empty labels  0 labelled voxels")
    assert table[-1] == "5 scans of 5 patients, 5 with labels: 0 errors, 1 warning"


def test_an_error_is_4(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clean / "images/c1.nii.gz").write_bytes(b"")
    assert main.run(["verify", str(clean)]) == 4
    output = capsys.readouterr()
    assert "error     c1    scan cannot be read  the scan: " in output.out
    assert output.out.endswith("5 scans of 5 patients, 5 with labels: 1 error, 0 warnings\n")
    assert output.err.endswith("medsegan: error: 1 error in the data set; the table says where, and what to do\n")


def test_json_is_the_only_thing_on_stdout(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clean / "images/c1.nii.gz").write_bytes(b"")
    assert main.run(["verify", str(clean), "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert document["n_errors"] == len(document["findings"]) == 1
    assert document["findings"][0] | {"measured": "", "remedy": ""} == {
        "severity": "error",
        "case": "c1",
        "what": "scan cannot be read",
        "measured": "",
        "remedy": "",
    }
    assert document["classes"] == {"1": 5, "2": 5}


def test_many_rows_of_a_kind_are_one_unless_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    n = MOST_ROWS_OF_A_KIND + 1
    for number in range(n):
        path = tmp_path / f"c{number:02d}.nii.gz"
        write_clean_case(path, None, number)
        change(path, lambda array: np.clip(array, -160, 240))
    assert main.run(["verify", str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert f"{n} cases: c00, c01, c02, ... (-v: all)" in output
    assert f"0 errors, {n} warnings" in output
    assert main.run(["-v", "verify", str(tmp_path)]) == 0
    assert all(
        f"warning   c{number:02d}   CT that was clipped" in capsys_line
        for number, capsys_line in zip(range(n), capsys.readouterr().out.splitlines()[2:], strict=False)
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["absent"], 3),
        (["."], 3),
        ([], 2),
        ([".", "--classes", "liver"], 2),
        ([".", "--modality", "pet"], 2),
    ],
)
def test_what_cannot_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["verify", *arguments]) == code


def test_a_contrast_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for suffix in ("T1w", "T2w"):
        write_clean_case(tmp_path / f"sub-01/anat/sub-01_{suffix}.nii.gz", None, len(suffix), "mr")
    assert main.run(["verify", str(tmp_path)]) == 4
    assert "T1w: 1 images, 0 with labels; T2w: 1 images, 0 with labels" in capsys.readouterr().out
    assert main.run(["verify", str(tmp_path), "--contrast", "T2w"]) == 0
    assert "BIDS, T2w images without labels" in capsys.readouterr().err
