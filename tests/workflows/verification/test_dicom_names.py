"""DICOM scans are called by numbers, and told apart by their patients all the same."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pydicom
from label_scenes import oblique_grid, organs, write_scan, write_seg
from verify_scenes import check, finding

from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, Volume, write_label, write_series


def name_patient(folder: Path, patient: str) -> None:
    for file in folder.iterdir():
        dataset = pydicom.dcmread(file)
        dataset.PatientID, dataset.PatientName = patient, patient
        dataset.save_as(file)


def test_dicom_is_called_by_numbers_and_its_faults_name_nobody(tmp_path: Path) -> None:
    grid = oblique_grid()
    for n, name in enumerate(("Mueller_Anna", "Maier_Bert", "Huber_Carl")):
        write_scan(tmp_path / name / "ct", grid, seed=name) if n else write_series(
            Volume(np.random.default_rng(n).integers(-900, 100, grid.shape).astype(np.int16), grid, "ct"),
            tmp_path / name / "ct",
            seed_uid=name,
        )
        name_patient(tmp_path / name / "ct", name)
    broken = sorted((tmp_path / "Huber_Carl" / "ct").iterdir())[2]
    broken.rename(broken.with_name("Huber_Carl_7.dcm")).write_bytes(b"\0" * 128 + b"DICM" + b"\1" * 40)
    write_seg(organs(), tmp_path / "Mueller_Anna" / "ct", tmp_path / "Mueller_Anna" / "seg.dcm", ("a", "b", "c"))
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        archive.write(tmp_path / "Huber_Carl" / "ct" / "Huber_Carl_7.dcm", "Huber_Carl/7.dcm")
        archive.writestr("Huber_Carl/inner.zip", b"PK")
    result = check(tmp_path)
    text = json.dumps(result.to_json())
    assert not any(name in text for name in ("Mueller", "Maier", "Huber", "Anna", str(tmp_path)))
    assert {one.case for one in result.findings} >= {"DICOM 1"}
    assert "Huber_Carl" in json.dumps(check(tmp_path, show_names=True).to_json())


def test_dicom_of_one_patient_in_two_parts(tmp_path: Path) -> None:
    for part, name in (("train", "a"), ("test", "b")):
        grid = Grid((8, 8, 4), np.diag([-1.0, -1, 2, 1]))
        array = np.random.default_rng(len(part)).integers(-1000, 100, grid.shape).astype(np.int16)
        (tmp_path / part).mkdir()
        write_series(Volume(array, grid, "ct"), tmp_path / part / name, seed_uid=name)
        name_patient(tmp_path / part / name, "Mueller")
    found = finding(check(tmp_path), "a patient in two parts")
    assert (found.severity, found.case, found.measured) == ("error", "DICOM 1", "test, train; also DICOM 2")


def test_what_lies_beside_dicom_is_called_by_numbers_too(tmp_path: Path) -> None:
    grid = oblique_grid()
    write_scan(tmp_path / "images" / "Mueller_Anna", grid)
    (tmp_path / "labels").mkdir()
    for name in ("Mueller_Anna", "Maier_Bert"):
        write_label(LabelVolume(organs(), grid), tmp_path / "labels" / f"{name}.nii.gz")
    (tmp_path / "images" / "Huber_Carl.nii.gz").write_bytes(b"Huber")
    result = check(tmp_path)
    text = json.dumps(result.to_json())
    assert not any(name in text for name in ("Mueller", "Maier", "Huber"))
    assert finding(result, "scan cannot be read").case == "scan 1"
    assert finding(result, "labels of no scan").case == "file 1"
    shown = check(tmp_path, show_names=True)
    assert finding(shown, "labels of no scan").case == "labels/Maier_Bert.nii.gz"
