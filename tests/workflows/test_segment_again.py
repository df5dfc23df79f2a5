"""Masks that are there: left if they are what would be made, made again only if asked, named if they differ."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from road import prepare_both, run, train_both, write_phantoms

from medsegan.imaging import read_label, read_volume
from medsegan.phantoms import write_dataset

Captured = pytest.CaptureFixture[str]
Segment = Callable[..., int]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiny models."""
    folder = tmp_path_factory.mktemp("work")
    write_phantoms(folder / "scans")
    prepare_both(folder, folder / "scans")
    train_both(folder)
    return folder


@pytest.fixture
def segment(workspace: Path) -> Segment:
    """A function that segments with the U-Net."""
    return lambda *arguments: run("-C", workspace, "segment", *arguments, "--model", "unet")


@pytest.fixture
def batch(workspace: Path, tmp_path: Path) -> Path:
    """A folder of two scans."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, path in zip(("a", "b"), sorted((workspace / "scans" / "mr" / "images").iterdir()), strict=True):
        shutil.copy(path, folder / f"{name}.nii.gz")
    return folder


def stamp(folder: Path) -> dict[str, int]:
    """Name -> time of every mask."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.nii.gz")}


def test_only_masks_that_are_what_would_be_made_are_left(
    segment: Segment, batch: Path, tmp_path: Path, capsys: Captured
) -> None:
    masks = tmp_path / "out"
    assert segment(batch, "-o", masks) == 0
    first = stamp(masks)
    assert segment(batch, "-o", masks, "--skip-existing") == 5
    image = nib.load(masks / "a.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros(image.shape, np.uint8), image.affine), masks / "a.nii.gz")
    capsys.readouterr()
    assert segment(batch, "-o", masks, "--skip-existing") == 8
    said = capsys.readouterr().err
    assert "its mask was changed since it was made; --overwrite makes it again" in said
    assert segment(batch, "-o", masks, "--skip-existing", "--overwrite") == 0
    again = stamp(masks)
    assert again["b.nii.gz"] == first["b.nii.gz"]
    assert again["a.nii.gz"] != first["a.nii.gz"]
    assert segment(batch, "-o", masks, "--skip-existing") == 5


def test_other_settings_another_model_or_another_scan_are_named(
    segment: Segment, workspace: Path, batch: Path, tmp_path: Path, capsys: Captured
) -> None:
    masks, before = tmp_path / "out", None
    assert segment(batch, "-o", masks) == 0
    before = stamp(masks)
    assert segment(batch, "-o", masks, "--skip-existing", "--keep-all") == 4
    assert "was made with other settings (keep_largest True and not False)" in capsys.readouterr().err
    gan = ["segment", batch, "-o", masks, "--skip-existing", "--model", "gan"]
    assert run("-C", workspace, *gan) == 4
    assert "was made from another model" in capsys.readouterr().err
    shutil.copy(batch / "b.nii.gz", batch / "a.nii.gz")
    assert segment(batch, "-o", masks, "--skip-existing") == 8
    assert "its mask was made from another input" in capsys.readouterr().err
    single = [batch / "a.nii.gz", "-o", masks / "a.nii.gz", "--skip-existing"]
    assert segment(*single) == 2
    assert "was made from another input; --overwrite makes it again" in capsys.readouterr().err
    assert stamp(masks) == before
    (masks / "b.medsegan.json").unlink()  # as if killed between the mask and its sidecar
    assert segment(batch, "-o", masks, "--skip-existing", "--overwrite", "--dry-run", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert [Path(case["output"]).name for case in planned["cases"]] == ["a.nii.gz", "b.nii.gz"]


def test_times_and_places_do_not_count(segment: Segment, batch: Path, tmp_path: Path) -> None:
    masks = tmp_path / "out"
    assert segment(batch, "-o", masks) == 0
    moved = batch.rename(tmp_path / "moved")
    (moved / "a.nii.gz").touch()
    assert segment(moved, "-o", masks, "--skip-existing") == 5


def test_what_belongs_to_a_mask_is_made_with_it(segment: Segment, batch: Path, tmp_path: Path) -> None:
    masks, extra = tmp_path / "out", tmp_path / "extra"
    assert segment(batch, "-o", masks) == 0
    call = [batch, "-o", masks, "--skip-existing", "--probabilities", extra, "--preview", masks]
    assert segment(*call) == 0  # the masks are as they should be, but not all that belongs to them is there
    assert sorted(path.name for path in extra.iterdir())[:2] == ["a.nii.gz", "a.nii.gz.medsegan.json"]
    assert json.loads((masks / "a.png.medsegan.json").read_text())["output"]["role"] == "preview"
    assert segment(*call) == 5
    (masks / "b.nii.gz").unlink()  # as if killed before the mask
    assert segment(*call) == 0
    (extra / "b.nii.gz").write_bytes(b"mine")
    assert segment(*call) == 8
    assert (extra / "b.nii.gz").read_bytes() == b"mine"


def test_a_sidecar_tells_nothing_of_the_patient(
    segment: Segment, workspace: Path, tmp_path: Path, capsys: Captured
) -> None:
    write_dataset(tmp_path / "Smith^John", "ct", 1, seed=5, dicom=True)
    [series] = (tmp_path / "Smith^John" / "images").iterdir()
    header = pydicom.dcmread(next(series.iterdir()))
    mask = tmp_path / "mask.nii.gz"
    assert segment(series, "-o", mask, "--series", header.SeriesInstanceUID) == 0
    text = (tmp_path / "mask.medsegan.json").read_text()
    for secret in ("Smith", str(tmp_path), series.name, header.PatientID, header.SeriesInstanceUID):
        assert str(secret) not in text
    document = json.loads(text)
    assert document["labels"] == {"liver": 1, "spleen": 2, "right_kidney": 3, "left_kidney": 4}
    assert document["device"] == "cpu"
    assert len(document["input"]["sha256"]) == len(document["model"]["sha256"]) == 64


@pytest.mark.parametrize(("form", "modality"), [(None, "SEG"), ("labelmap", "SEG"), ("rtstruct", "RTSTRUCT")])
def test_a_mask_in_dicom_belongs_to_its_series(
    segment: Segment, tmp_path: Path, form: str | None, modality: str
) -> None:
    pytest.importorskip("highdicom")
    write_dataset(tmp_path / "dicom", "ct", 1, seed=5, dicom=True)
    [series] = (tmp_path / "dicom" / "images").iterdir()
    plain, mask = tmp_path / "plain.nii.gz", tmp_path / "out" / "mask.dcm"
    how = [] if form is None else ["--as", form]
    assert segment(series, "-o", plain) == 0
    assert segment(series, "-o", mask, "--reproducible-uids", *how) == 0
    written, grid = pydicom.dcmread(mask), read_volume(series).grid
    slices = pydicom.dcmread(next(series.iterdir()))
    assert written.Modality == modality
    assert written.StudyInstanceUID == slices.StudyInstanceUID
    expected, label = read_label(plain), read_label(mask, on=grid)
    values = {"liver": 1, "spleen": 2, "right_kidney": 3, "left_kidney": 4}
    for number, name in label.names.items():
        assert np.array_equal(label.array == number, expected.array == values[name])
    assert set(np.unique(expected.array)) - {0} == {values[name] for name in label.names.values()}
    before = mask.read_bytes()
    assert segment(series, "-o", mask, "--reproducible-uids", *how, "--overwrite") == 0
    assert mask.read_bytes() == before
    assert segment(series, "-o", mask, "--reproducible-uids", *how, "--skip-existing") == 5


def test_a_batch_in_dicom_names_the_scans_that_are_none(
    segment: Segment, batch: Path, tmp_path: Path, capsys: Captured
) -> None:
    pytest.importorskip("highdicom")
    write_dataset(tmp_path / "dicom", "ct", 1, seed=5, dicom=True)
    [series] = (tmp_path / "dicom" / "images").iterdir()
    shutil.copytree(series, batch / "series")
    masks = tmp_path / "out"
    assert segment(batch, "-o", masks, "--as", "seg") == 8
    assert sorted(path.name for path in masks.iterdir()) == ["series.dcm", "series.medsegan.json"]
    said = capsys.readouterr().err
    assert "2 of 3 cases failed" in said
    assert "a.nii.gz" not in said


def test_wrong_turns_of_dicom(segment: Segment, batch: Path, tmp_path: Path, capsys: Captured) -> None:
    scan, out = batch / "a.nii.gz", tmp_path / "m.dcm"
    wrong = {
        (scan, "-o", out): "is none; write .nii.gz",
        (scan, "-o", tmp_path / "m.nii.gz", "--as", "seg"): "give -o a name in .dcm",
        (scan, "-o", tmp_path / "m.nii.gz", "--reproducible-uids"): "only DICOM masks have UIDs",
        (scan, "-o", tmp_path / "m.nii.gz", "--residual", tmp_path / "r.dcm"): "suffix decides the format",
    }
    for call, word in wrong.items():
        assert segment(*call) == 2
        error = capsys.readouterr().err
        assert word in error
        assert error.count("\n") == 1
    write_dataset(tmp_path / "dicom", "ct", 1, seed=5, dicom=True)
    [series] = (tmp_path / "dicom" / "images").iterdir()
    assert segment(series, "-o", series / "m.dcm") == 2
    assert "among the slices that are read" in capsys.readouterr().err
