"""That labels may not belong to their scan is said by every command that puts them together."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from label_scenes import oblique_grid, organs, write_scan, write_seg
from road import SMALL, run

from medsegan.imaging import OTHER_FRAME
from medsegan.slices import SliceStore
from medsegan.workflows.verify import VerifyOptions, verify

NAMES = ("Liver", "Spleen", "Left kidney")


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two series; the segmentation of the second has another frame of reference, and a slice of it is missing."""
    root = tmp_path_factory.mktemp("in") / "set"
    for name in "ab":
        (root / name).mkdir(parents=True)
        series = write_scan(root / name / "ct", oblique_grid(), seed=name)
        labels = organs()
        if name == "b":
            (series / "slice_0006.dcm").unlink()
            labels = np.delete(labels, 5, axis=2)
        seg = write_seg(labels, series, root / name / "seg.dcm", NAMES)
    dataset = pydicom.dcmread(seg)
    dataset.FrameOfReferenceUID = "1.2.3.99"
    dataset.save_as(seg)
    return root


def test_prepare_and_eval(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", 32, "--val-fraction", 0, "--test-fraction", 0, "--fix-gaps"]
    assert run("-C", tmp_path, "prepare", scans, *options) == 0
    said = capsys.readouterr().err
    cases = SliceStore.open(tmp_path / "data" / "ct").cases()
    for words in (OTHER_FRAME, "1 slices were interpolated between labelled ones"):
        assert words in said
        assert sum(any(words in note for note in case.notes) for case in cases) == 1
    train = ["train", "--method", "unet", "--images", 16, "--name", "unet", "--labeled", 2, "--device", "cpu"]
    assert run("-C", tmp_path, *train, *SMALL) == 0
    capsys.readouterr()
    call = ["eval", "--domain", "ct", "--run", "unet", "--split", "all", "--device", "cpu"]
    assert run("-C", tmp_path, *call) == 0
    said = capsys.readouterr().err
    assert said.count(OTHER_FRAME) == 1
    assert "1 slices were interpolated between labelled ones" in said


def test_verify(scans: Path) -> None:
    findings = verify(VerifyOptions((scans,), fix_gaps=True)).findings
    found = {one.what: one for one in findings}
    assert OTHER_FRAME in found["labels in another frame of reference"].measured
    assert found["interpolated slices without labels"].measured.startswith("1 slices")
    assert sum("frame of reference" in one.what for one in findings) == 1


def test_convert(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, n in (("a", 0), ("b", 1)):
        call = ["convert", scans / name / "seg.dcm", tmp_path / f"{name}.nii.gz", "--fix-gaps"]
        assert run(*call, "--source", scans / name / "ct") == 0
        said = capsys.readouterr().err
        assert said.count(OTHER_FRAME) == said.count("interpolated between labelled ones") == n
