"""Scans full of names are converted, and no name comes out of it that was not typed."""

import shutil
from pathlib import Path

import pydicom
import pytest
from poison import BIRTH, STUDY, found_in, leaks_below, write_poisoned
from road import run

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One poisoned series and its labels, in places that name nobody."""
    raw, folder = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("in")
    write_poisoned(raw, n_dicom=1, n_nifti=0)
    name = f"QZXVKDOE_QZXVKJANE_{BIRTH}_0"
    shutil.copytree(raw / "images" / name, folder / "scan" / name)
    shutil.copy(raw / "labels" / f"{name}.nii.gz", folder / "labels.nii.gz")
    return folder


def slices(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("QZXVKIM*"))


def missing(folder: Path) -> None:
    """A gap, told with the positions and the file."""
    slices(folder)[3].unlink()


def torn(folder: Path) -> None:
    """A file that ends before its pixels, named in the error."""
    slices(folder)[2].write_bytes(slices(folder)[2].read_bytes()[:-400])


def two_series(folder: Path) -> None:
    """Two series, listed with their descriptions."""
    for path in slices(folder)[:4]:
        dataset = pydicom.dcmread(path)
        dataset.SeriesInstanceUID, dataset.SeriesDescription = "1.2.3", f"QZXVKSERIES {STUDY}"
        dataset.save_as(path.with_name(f"{path.name}_b"))


@pytest.mark.parametrize("damage", [missing, torn, two_series])
@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_errors_name_nobody(
    scans: Path, tmp_path: Path, capfd: Captured, damage: object, extra: list[str]
) -> None:
    source = tmp_path / "scan"
    shutil.copytree(scans / "scan", source)
    assert callable(damage)
    damage(source)
    call = ["convert", source, tmp_path / "out.nii.gz", *extra]
    assert run(*call) in (2, 3, 4)
    said = "".join(capfd.readouterr())
    assert found_in(said) == []
    assert str(source) in said or "[file]" in said
    assert run("-v", *call) in (2, 3, 4)
    capfd.readouterr()
    assert run("convert", scans / "labels.nii.gz", tmp_path / "out.dcm", "--source", source, *extra) in (2, 3, 4)
    assert found_in("".join(capfd.readouterr())) == []


def test_names_are_shown_where_they_are_asked_for(scans: Path, tmp_path: Path, capfd: Captured) -> None:
    source = tmp_path / "scan"
    shutil.copytree(scans / "scan", source)
    torn(source)
    assert run("convert", source, tmp_path / "out.nii.gz") == 3
    assert "-v" in (said := capfd.readouterr().err)
    assert found_in(said) == []
    assert run("-v", "convert", source, tmp_path / "out.nii.gz") == 3
    assert "QZXVKIM" in capfd.readouterr().err


def test_what_is_written_and_said_names_nobody(scans: Path, tmp_path: Path, capfd: Captured) -> None:
    source = tmp_path / "in" / "scan"
    shutil.copytree(scans / "scan", source)
    shutil.copy(slices(source)[0], slices(source)[0].with_name("QZXVKCOPY"))
    made = tmp_path / "out"
    assert run("convert", source, made / "scan.nii.gz") == 0
    assert run("convert", scans / "labels.nii.gz", made / "labels.nrrd", "--source", source) == 0
    assert run("convert", scans / "labels.nii.gz", tmp_path / "seg.dcm", "--source", source) == 0
    said = "".join(capfd.readouterr())
    assert found_in(said) == []
    assert "cop" in said
    assert leaks_below(made) == []
    assert found_in((tmp_path / "seg.medsegan.json").read_text()) == []


def test_what_was_typed_is_said_back(scans: Path, tmp_path: Path, capfd: Captured) -> None:
    source = next((scans / "scan").iterdir())
    assert run("convert", source, tmp_path / "QZXVKOUT.nii.gz") == 0
    assert str(tmp_path / "QZXVKOUT.nii.gz") in capfd.readouterr().out
