"""Scans full of names go the whole road, and no name comes out of it anywhere but in the private folder."""

import json
import shutil
from pathlib import Path

import pydicom
import pytest
from poison import BIRTH, found_in, leaks_below, write_poisoned, write_poisoned_nifti
from road import CLASSES, SMALL, run

from medsegan.imaging import read_volume
from medsegan.slices import SliceStore
from medsegan.workflows.workspace import Workspace

Captured = pytest.CaptureFixture[str]
COMMON = ["--size", 32, "--classes", CLASSES, "--val-fraction", 0, "--test-fraction", 0.4]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four DICOM series and two NIfTI files; a series with a gap, one with a torn file, and a file of rubbish."""
    folder = tmp_path_factory.mktemp("in") / "scans"
    write_poisoned(folder)
    images = folder / "images"
    series = sorted(path for path in images.iterdir() if path.is_dir())
    for name in ("QZXVKGAP", "QZXVKTORN"):
        shutil.copytree(series[0], images / name)
        shutil.copy(folder / "labels" / f"{series[0].name}.nii.gz", folder / "labels" / f"{name}.nii.gz")
        for path in (images / name).iterdir():
            dataset = pydicom.dcmread(path)
            dataset.PatientID = dataset.PatientName = name
            dataset.save_as(path)
    sorted((images / "QZXVKGAP").iterdir())[3].unlink()
    torn = sorted((images / "QZXVKTORN").iterdir())[2]
    torn.write_bytes(torn.read_bytes()[:-400])
    (images / "QZXVKRUBBISH.nii.gz").write_bytes(b"QZXVK no scan at all")
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, scans: Path) -> Path:
    """Prepared, and a U-Net trained for a few steps."""
    folder = tmp_path_factory.mktemp("workspace")
    assert run("-C", folder, "prepare", scans, *COMMON) == 8
    train = [
        "train",
        "--method",
        "unet",
        "--images",
        32,
        "--name",
        "unet",
        "--labeled",
        2,
        "--device",
        "cpu",
        *SMALL,
    ]
    assert run("-C", folder, *train) == 0
    return folder


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> "Said":
    """What was written to the terminal, by libraries too."""
    return Said(capfd)


class Said:
    """stdout and stderr together."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def text(self) -> str:
        """All that was written since the last call."""
        out, err = self._captured.readouterr()
        return out + err


def test_the_poison_is_there(scans: Path) -> None:
    """So that the test can fail: every file of the scans has tokens, and so have the errors of the readers."""
    assert len(leaks_below(scans)) > 50
    with pytest.raises(Exception, match="QZXVKGAP"):
        read_volume(scans / "images" / "QZXVKGAP")


@pytest.mark.parametrize("extra", [[], ["--json"], ["--dry-run"]])
def test_prepare(scans: Path, tmp_path: Path, said: Said, extra: list[str]) -> None:
    assert run("-C", tmp_path, "prepare", scans, *COMMON, *extra) == (0 if "--dry-run" in extra else 8)
    text = said.text()
    assert found_in(text) == []
    assert leaks_below(tmp_path, but=(tmp_path / "private",)) == []
    if not extra:
        assert text.count("failed") >= 1
        ids = Workspace.open(tmp_path).private.read_domain("ct")
        failed = {source.image.name for case_id, source in ids.items() if f"{case_id}  " in text}
        assert failed == {"QZXVKGAP", "QZXVKTORN", "QZXVKRUBBISH.nii.gz"}
        assert leaks_below(tmp_path / "private") != []


def test_names_are_shown_where_they_are_asked_for(scans: Path, tmp_path: Path, said: Said) -> None:
    assert run("-v", "-C", tmp_path, "prepare", scans, *COMMON) == 8
    assert str(scans / "images" / "QZXVKGAP") in said.text()
    assert leaks_below(tmp_path, but=(tmp_path / "private",)) == []


def test_errors_that_end_the_work(scans: Path, tmp_path: Path, said: Said) -> None:
    broken = tmp_path / "broken"
    for name in ("QZXVKGAP", "QZXVKTORN"):
        shutil.copytree(scans / "images" / name, broken / name)
    twice = tmp_path / "twice"
    twice.mkdir()
    for name in ("QZXVKDOE.nii.gz", "QZXVKDOE.mha"):
        (twice / name).write_bytes(b"QZXVK")
    (tmp_path / "w").mkdir()
    for folder in (broken, twice):
        assert run("-C", tmp_path / "w", "prepare", folder) in (3, 4)
        text = said.text()
        assert found_in(text) == []
        assert "-v" in text
        assert run("-v", "-C", tmp_path / "w", "prepare", folder) in (3, 4)
        assert found_in(said.text()) != []


def test_what_was_typed_is_said_back(scans: Path, tmp_path: Path, said: Said) -> None:
    assert run("-C", tmp_path, "prepare", scans / "images" / "QZXVKGAP", "--size", 32) == 4
    assert str(scans / "images" / "QZXVKGAP") in said.text()


def test_nothing_of_a_workspace_but_the_private_folder_names_anybody(workspace: Path, said: Said) -> None:
    assert len(SliceStore.open(workspace / "data" / "ct").cases()) == 6
    said.text()
    assert leaks_below(workspace, but=(workspace / "private",)) == []
    for call in (["info"], ["info", "--json"], ["-v", "info"]):
        assert run("-C", workspace, *call) == 0
        assert found_in(said.text()) == []


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_segment(workspace: Path, scans: Path, tmp_path: Path, said: Said, extra: list[str]) -> None:
    masks = tmp_path / "masks"
    images = tmp_path / "dicom"
    for path in (scans / "images").iterdir():
        if path.is_dir():
            shutil.copytree(path, images / path.name)
    options = ["--model", "unet", "--device", "cpu"]
    made = ["--preview", tmp_path / "look", "--probabilities", tmp_path / "soft"]
    assert run("-C", workspace, "segment", images, "-o", masks, *options, *made, *extra) == 8
    text = said.text()
    assert found_in(text) == []
    assert leaks_below(masks, tmp_path / "look", tmp_path / "soft", workspace, but=(workspace / "private",)) == []
    ids = json.loads((workspace / "private" / "segment.json").read_text())["scans"]
    assert {Path(ids[path.name.removesuffix(".nii.gz")]).name for path in masks.glob("*.nii.gz")} == {
        f"QZXVKDOE_QZXVKJANE_{BIRTH}_{n}" for n in range(4)
    }
    assert "called by an id" in text


def test_segment_one_scan_into_a_folder(workspace: Path, scans: Path, tmp_path: Path, said: Said) -> None:
    """The user typed the path, and may read it; the mask that is passed on does not carry it."""
    source = scans / "images" / f"QZXVKDOE_QZXVKJANE_{BIRTH}_1"
    assert run("-C", workspace, "segment", source, "-o", tmp_path, "--model", "unet", "--device", "cpu") == 0
    assert "called by an id" in said.text()
    assert len(list(tmp_path.glob("*.nii.gz"))) == 1
    assert leaks_below(tmp_path) == []


def test_segment_without_a_workspace_keeps_the_way_back_beside_the_masks(
    workspace: Path, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = scans / "images" / f"QZXVKDOE_QZXVKJANE_{BIRTH}_1"
    shutil.copytree(source, tmp_path / "in" / source.name / "series")
    call = ["segment", tmp_path / "in", "-o", tmp_path / "masks", "--model", workspace / "runs" / "unet"]
    assert run(*call, "--device", "cpu") == 0
    ids = json.loads((tmp_path / "masks-private" / "segment.json").read_text())["scans"]
    assert {path.name for path in (tmp_path / "masks").rglob("*.nii.gz")} == {f"{one}.nii.gz" for one in ids}
    assert run(*call, "--device", "cpu", "--skip-existing") == 5


def test_segment_copies_no_text_of_a_header(workspace: Path, scans: Path, tmp_path: Path) -> None:
    source = tmp_path / "scan.nii.gz"
    write_poisoned_nifti(read_volume(scans / "images" / f"QZXVKDOE_QZXVKJANE_{BIRTH}_4.nii.gz"), source)
    assert leaks_below(tmp_path) != []
    made = tmp_path / "out"
    made.mkdir()
    options = ["--model", "unet", "--device", "cpu", "--probabilities", made / "soft.nii.gz"]
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        output = made / f"mask{suffix}"
        assert run("-C", workspace, "segment", source, "-o", output, *options, "--overwrite") == 0
    assert len(list(made.iterdir())) >= 4
    assert leaks_below(made) == []


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_eval(workspace: Path, scans: Path, tmp_path: Path, said: Said, extra: list[str]) -> None:
    copy = tmp_path / "w"
    shutil.copytree(workspace, copy)
    moved = tmp_path / "scans"
    shutil.copytree(scans, moved)
    path = copy / "private" / "domains" / "ct.json"
    path.write_text(path.read_text().replace(str(scans), str(moved)))
    sources = Workspace.open(copy).private.read_domain("ct")
    cases = SliceStore.open(copy / "data" / "ct").cases(labeled=True)
    series = next(c.case_id for c in cases if sources[c.case_id].image.is_dir())
    sorted(sources[series].image.iterdir())[3].unlink()
    no_label = next(c.case_id for c in cases if c.case_id != series)
    label = sources[no_label].label
    assert label is not None
    label.write_bytes(b"QZXVK no labels")
    call = ["-C", copy, "eval", "--domain", "ct", "--run", "unet", "--split", "all", "--device", "cpu"]
    assert run(*call, *extra) == 8
    text = said.text()
    assert found_in(text) == []
    assert leaks_below(copy, but=(copy / "private",)) == []
    assert series in text
    assert no_label in text
    assert run("-v", *call, *extra) == 8
    assert str(sources[series].image) in said.text()


def test_eval_reads_a_scan_as_it_was_prepared(workspace: Path, scans: Path, tmp_path: Path) -> None:
    """Of a series with a gap, prepared with --fix-gaps, eval makes a mask of as many slices."""
    images = tmp_path / "in" / "images"
    shutil.copytree(scans / "images" / "QZXVKGAP", images / "QZXVKGAP")
    shutil.copytree(scans / "labels", tmp_path / "in" / "labels")
    copy = tmp_path / "w"
    shutil.copytree(workspace, copy)
    prepare = [
        "prepare",
        tmp_path / "in",
        "--domain",
        "gaps",
        "--fix-gaps",
        "--test-fraction",
        1,
        "--classes",
        CLASSES,
    ]
    assert run("-C", copy, *prepare) == 0
    assert run("-C", copy, "eval", "--domain", "gaps", "--run", "unet", "--device", "cpu") == 0


def test_slices_alone_are_trained_on_and_eval_says_what_it_lacks(
    workspace: Path, tmp_path: Path, said: Said
) -> None:
    shutil.copytree(workspace / "data", tmp_path / "data")
    shutil.copy(workspace / "medsegan.toml", tmp_path)
    train = ["train", "--method", "unet", "--images", 8, "--name", "there", "--device", "cpu", *SMALL]
    assert run("-C", tmp_path, *train) == 0
    assert not (tmp_path / "private").exists()
    said.text()
    assert run("-C", tmp_path, "eval", "--domain", "ct", "--run", "there") == 3
    assert "copy the folder private" in said.text()


def test_a_model_of_another_workspace_is_not_taken_for_one_that_never_saw_the_patients(
    workspace: Path, scans: Path, tmp_path: Path, said: Said
) -> None:
    assert run("-C", tmp_path, "prepare", scans, *COMMON) == 8
    call = ["eval", "--domain", "ct", "--run", workspace / "runs" / "unet", "--device", "cpu"]
    said.text()
    assert run("-C", tmp_path, *call) == 0
    assert "made with another key" in said.text()
    assert run("-C", workspace, *call) == 0
    assert "made with another key" not in said.text()
