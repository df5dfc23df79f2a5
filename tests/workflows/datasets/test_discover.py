"""The usual layouts are recognised by names alone; what is ambiguous is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from discovery_scenes import touch

from medsegan.errors import DataError, InputError
from medsegan.geometry import Grid
from medsegan.imaging import Volume, write_series
from medsegan.workflows.datasets.discover import Discovery, discover


def set_patient_id(folder: Path, patient: str) -> None:
    for file in folder.iterdir():
        dataset = pydicom.dcmread(file)
        dataset.PatientID = patient
        dataset.save_as(file)


def pairs(found: Discovery) -> dict[str, str | None]:
    return {case.image.name: None if case.label is None else case.label.name for case in found.cases}


def test_suffixes_in_one_folder(tmp_path: Path) -> None:
    found = discover(
        [touch(tmp_path, "p1_ct.nii.gz", "p1_label.nii.gz", "p2_ct.nii.gz", "readme.txt", ".hidden.nii")]
    )
    assert pairs(found) == {"p1_ct.nii.gz": "p1_label.nii.gz", "p2_ct.nii.gz": None}
    assert [case.patient for case in found.cases] == ["p1", "p2"]
    assert "*_ct and *_label" in found.layout
    assert found.n_labeled == 1


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("a_image.nii.gz", "a_seg.nrrd"),
        ("a_img.mha", "a_mask.mha"),
        ("a.nii.gz", "a_segmentation.nii.gz"),
        ("img0007.nii.gz", "label0007.nii.gz"),
        ("volume-7.nii", "segmentation-7.nii"),
        ("case_7/imaging.nii.gz", "case_7/segmentation.nii.gz"),
        ("ct_7.nii.gz", "ct_7_gt.nii.gz"),
        ("x_0000.nii.gz", "x_label.nii.gz"),
        ("scan.hdr", "scan_label.nii"),
    ],
)
def test_names_that_belong_together(tmp_path: Path, image: str, label: str) -> None:
    found = discover([touch(tmp_path, image, label)])
    assert pairs(found) == {Path(image).name: Path(label).name}


@pytest.mark.parametrize(("images", "labels"), [("images", "labels"), ("imagesTr", "labelsTr"), ("CT", "masks")])
def test_two_folders(tmp_path: Path, images: str, labels: str) -> None:
    touch(tmp_path, f"{images}/c1.nii.gz", f"{images}/c2.nii.gz", f"{labels}/c1.nrrd", f"{labels}/c9.nii.gz")
    for paths in ([tmp_path], [tmp_path / images, tmp_path / labels], [tmp_path / labels, tmp_path / images]):
        found = discover(paths)
        assert pairs(found) == {"c1.nii.gz": "c1.nrrd", "c2.nii.gz": None}
        assert [path.name for path in found.orphans] == ["c9.nii.gz"]
        assert "1 label files belong to no scan and are left out" in found.notes


def test_labels_from_a_folder_of_their_own(tmp_path: Path) -> None:
    touch(tmp_path, "scans/c1_ct.nii.gz", "truth/c1_manual.nii.gz", "truth/c1_seg.nii.gz")
    found = discover([tmp_path / "scans"], tmp_path / "truth")
    assert pairs(found) == {"c1_ct.nii.gz": "c1_seg.nii.gz"}
    only = discover([tmp_path / "scans" / "c1_ct.nii.gz"], tmp_path / "truth" / "c1_manual.nii.gz")
    assert pairs(only) == {"c1_ct.nii.gz": "c1_manual.nii.gz"}


def test_nnunet(tmp_path: Path) -> None:
    document = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "Left Kidney": 2, "liver": 1}}
    names = [
        f"{folder}/c{n}{end}.nii.gz" for n in (1, 2) for folder, end in (("imagesTr", "_0000"), ("labelsTr", ""))
    ]
    touch(tmp_path, *names, "imagesTr/c1_0001.nii.gz", "imagesTr/c2_0001.nii.gz", "imagesTs/c9_0000.nii.gz")
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    found = discover([tmp_path])
    assert pairs(found) == {"c1_0000.nii.gz": "c1.nii.gz", "c2_0000.nii.gz": "c2.nii.gz"}
    assert found.class_names == {1: "liver", 2: "Left_Kidney"}
    assert found.layout.startswith("nnU-Net v2")
    assert [case.stem for case in found.cases] == ["c1", "c2"]
    assert any("each case has 2 channels, 0 (CT), 1; 0 alone is read" in note for note in found.notes)
    assert any("imagesTs" in note for note in found.notes)


def test_decathlon(tmp_path: Path) -> None:
    training = [{"image": f"./imagesTr/la_{n}.nii.gz", "label": f"./labelsTr/la_{n}.nii.gz"} for n in (3, 4, 5)]
    document = {"modality": {"0": "MRI"}, "labels": {"0": "background", "1": "left atrium"}, "training": training}
    touch(
        tmp_path, "imagesTr/la_3.nii.gz", "imagesTr/la_4.nii.gz", "labelsTr/la_3.nii.gz", "imagesTr/._la_3.nii.gz"
    )
    (tmp_path / "dataset.json").write_text(json.dumps(document))
    found = discover([tmp_path])
    assert pairs(found) == {"la_3.nii.gz": "la_3.nii.gz", "la_4.nii.gz": None}
    assert found.class_names == {1: "left_atrium"}
    assert "1 images that dataset.json lists are not there" in found.notes
    assert "1 cases of dataset.json have no label file" in found.notes


def test_decathlon_may_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    touch(tmp_path, "secret.nii.gz", "set/x.txt")
    document = {"labels": {}, "training": [{"image": "../secret.nii.gz"}]}
    (tmp_path / "set" / "dataset.json").write_text(json.dumps(document))
    with pytest.raises(DataError, match="outside of the data set"):
        discover([tmp_path / "set"])


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"labels": 3}', '{"labels": {"liver": "x"}}', '{"training": {"a": 1}}']
)
def test_a_broken_dataset_json_is_refused(tmp_path: Path, text: str) -> None:
    touch(tmp_path, "imagesTr/a.nii.gz")
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DataError, match=r"dataset\.json"):
        discover([tmp_path])


def test_dicom_series_are_one_case_a_folder(tmp_path: Path) -> None:
    volume = Volume(np.zeros((4, 4, 3), np.int16), Grid((4, 4, 3), np.eye(4)), "ct")
    for name in ("p1/scan_a", "p1/scan_b", "p2/scan_a"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        write_series(volume, tmp_path / "images" / name, seed_uid=name)
        set_patient_id(tmp_path / "images" / name, "")
    found = discover([tmp_path])
    assert [case.stem for case in found.cases] == ["p1/scan_a", "p1/scan_b", "p2/scan_a"]
    assert [case.patient for case in found.cases] == ["p1", "p1", "p2"]
    assert found.layout == "folders of DICOM series without labels"
    touch(tmp_path, "labels/p1/scan_a.nii.gz")
    assert discover([tmp_path]).n_labeled == 1
    a_file = next((tmp_path / "images" / "p2" / "scan_a").iterdir())
    assert discover([a_file]).cases[0].image == tmp_path / "images" / "p2" / "scan_a"


def test_what_lies_beside_scans_is_no_series(tmp_path: Path) -> None:
    touch(tmp_path, "set/a.hdr", "set/a.img", "set/b.hdr.gz", "set/b.img.gz", "set/c.nii.gz", "set/README.txt")
    for paths in ([tmp_path / "set"], sorted((tmp_path / "set").iterdir())):
        assert sorted(case.image.name for case in discover(paths).cases) == ["a.hdr", "b.hdr.gz", "c.nii.gz"]


def test_a_dicom_scan_is_found_once(tmp_path: Path) -> None:
    volume = Volume(np.zeros((4, 4, 3), np.int16), Grid((4, 4, 3), np.eye(4)), "ct")
    for name in ("p1/series", "p2/series"):
        (tmp_path / name).parent.mkdir(parents=True)
        write_series(volume, tmp_path / name, seed_uid=name)
        (tmp_path / name).parent.joinpath("DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    assert [case.stem for case in discover([tmp_path]).cases] == ["p1/series", "p2/series"]
    loose = tmp_path / "p1" / "loose.dcm"
    shutil.copy(next((tmp_path / "p1" / "series").iterdir()), loose)
    assert [case.stem for case in discover([tmp_path]).cases] == ["p1", "p2/series"]
    with pytest.raises(DataError, match=r"series lies within .*p1, which is a DICOM series already"):
        discover([loose, tmp_path / "p1" / "series"])


def test_a_scan_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "all/a/one.nii.gz", "all/b/two.nii.gz")
    with pytest.raises(DataError, match=r"one\.nii\.gz is named twice"):
        discover([tmp_path / "all", tmp_path / "all" / "a"])


def test_the_patient_id_of_dicom_tells_patients_apart(tmp_path: Path) -> None:
    volume = Volume(np.zeros((4, 4, 3), np.int16), Grid((4, 4, 3), np.eye(4)), "ct")
    names = {"a/1": "Mueller", "b/1": "Mueller ", "c/1": "Maier", "c/2": "", "d/1": "ANONYMOUS", "e/1": "anon"}
    for name, patient in names.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_series(volume, tmp_path / name, seed_uid=name)
        set_patient_id(tmp_path / name, patient)
    found = discover([tmp_path])
    groups: dict[str, set[str]] = {}
    for case in found.cases:
        groups.setdefault(case.patient, set()).add(case.stem)
    assert sorted(map(sorted, groups.values())) == [["a/1", "b/1"], ["c/1", "c/2"], ["d/1"], ["e/1"]]
    assert "4 patients from 6 scans" in found.notes
    assert "the patients of 3 DICOM scans are told apart by their PatientID" in found.notes
    assert not any("Mueller" in text or "Maier" in text for text in (*groups, *found.notes))
    assert "1 patient from 1 scan" in discover([tmp_path / "d"]).notes


def test_several_scans_of_a_patient_are_one_patient(tmp_path: Path) -> None:
    touch(tmp_path, "anna/before.nii.gz", "anna/after.nii.gz", "berta/before.nii.gz")
    assert [case.patient for case in discover([tmp_path]).cases] == ["anna", "anna", "berta"]
    bids = touch(
        tmp_path / "bids", "sub-01_ses-1_T1w.nii.gz", "sub-01_ses-2_T1w.nii.gz", "sub-02_ses-1_T1w.nii.gz"
    )
    assert [case.patient for case in discover([bids]).cases] == ["sub-01", "sub-01", "sub-02"]


def test_numbers_that_look_like_channels_are_scans(tmp_path: Path) -> None:
    found = discover([touch(tmp_path, "study_0000.nii.gz", "study_0001.nii.gz", "study_0002.nii.gz")])
    assert len(found.cases) == 3


def test_files_one_by_one_and_sets_together(tmp_path: Path) -> None:
    touch(tmp_path, "a/one.nii.gz", "b/two_ct.nii.gz", "b/two_seg.nii.gz")
    found = discover([tmp_path / "a" / "one.nii.gz", tmp_path / "b"])
    assert pairs(found) == {"two_ct.nii.gz": "two_seg.nii.gz", "one.nii.gz": None}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("c_ct.nii.gz", "c_mr.nii.gz", "c_label.nii.gz"), "2 scans and 1 label file go by one name"),
        (("c_ct.nii.gz", "c_seg.nii.gz", "c_mask.nii.gz"), "1 scan and 2 label files go by one name"),
        (("images/a.nii.gz", "labels/b.nii.gz"), "1 label file found, but none goes by the name of a scan"),
        (("a.nii.gz", "a.nrrd"), "2 scans are called a"),
    ],
)
def test_ambiguity_is_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        discover([touch(tmp_path, *names)])


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file or folder"):
        discover([tmp_path / "absent"])
    with pytest.raises(InputError, match="holds no file that can be read as a scan"):
        discover([touch(tmp_path / "empty", "notes.txt")])
    with pytest.raises(InputError, match="holds only 1 label files"):
        discover([touch(tmp_path / "only", "a_label.nii.gz")])
    with pytest.raises(InputError, match="the folder of images holds no file"):
        discover([touch(tmp_path / "jpg", "images/a.jpg", "labels/a.jpg")])
    with pytest.raises(InputError, match="no scan was named"):
        discover([])


def test_notes_and_layout_name_no_file(tmp_path: Path) -> None:
    touch(tmp_path, "images/mueller.nii.gz", "labels/mueller.nii.gz", "labels/maier.nii.gz")
    found = discover([tmp_path])
    assert "m" in found.layout
    assert not any("mueller" in text or "maier" in text for text in (found.layout, *found.notes))


@pytest.mark.parametrize(
    ("name", "n_cases", "layout"),
    [
        ("abdomen_ct", 18, "*_ct and *_label"),
        ("brain_hippocampus", 52, "images/ and labels/"),
        ("cardiac_mr", 8, "*_image"),
    ],
)
def test_real_data_sets(real_scans: Callable[[str], Path], name: str, n_cases: int, layout: str) -> None:
    found = discover([real_scans(name)])
    assert (len(found.cases), found.n_labeled, len(found.orphans)) == (n_cases, n_cases, 0)
    assert layout in found.layout


def test_a_copy_under_another_root_is_the_same_discovery(tmp_path: Path) -> None:
    first = touch(tmp_path / "first", "images/b.nii.gz", "images/a.nii.gz", "labels/a.nii.gz")
    shutil.copytree(first, tmp_path / "second")
    assert pairs(discover([first])) == pairs(discover([tmp_path / "second"]))


def test_what_may_be_damaged_dicom_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "p1/ct.nii.gz", "p2/ct.nii.gz", "p3/README", "p3/LICENSE")
    assert not any("without a suffix" in note for note in discover([tmp_path]).notes)
    touch(tmp_path, "p4/IM0001", "p4/IM0002")
    [note] = [note for note in discover([tmp_path]).notes if "without a suffix" in note]
    assert note.startswith("2 files")
