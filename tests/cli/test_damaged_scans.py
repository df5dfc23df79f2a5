"""`medsegan prepare` on damaged scans: one line, exit 3 or 4 (8 where others are well), never a traceback."""

import os
import random

import numpy as np
import pytest

from medsegan.geometry import Grid
from medsegan.imaging import Volume, write_volume
from medsegan_cli.main import run

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".mha")


@pytest.fixture(scope="module")
def scan():
    rng = np.random.default_rng(3)
    array = rng.normal(-1000, 5, (40, 44, 12))
    array[8:32, 8:36] = rng.normal(40, 20, (24, 28, 12))
    return array.astype(np.int16)


def write(array, path):
    write_volume(Volume(array, Grid(array.shape, np.diag([-4.0, -4.0, 5.0, 1.0]))), path)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_scan_that_is_cut_off(scan, tmp_path, monkeypatch, capsys, suffix, seed):
    monkeypatch.chdir(tmp_path)
    path = write(scan, tmp_path / f"scan{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: random.Random(f"{suffix}{seed}").randrange(len(content))])
    assert run(["prepare", str(path), "--modality", "ct"]) in (3, 4)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "damaged" in said or "readable" in said


def test_a_pipe_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "scan.nii.gz")
    assert run(["prepare", str(tmp_path / "scan.nii.gz")]) in (3, 4)
