"""DICOM labels beside their series, and folders of classes: found, paired, numbered by name and prepared."""

import json
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from label_scenes import (
    at_height,
    circle,
    oblique_grid,
    organs,
    write_rtstruct,
    write_scan,
    write_seg,
)
from prepare_scenes import run

from medsegan.errors import DataError
from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, Volume, read_volume, write_label, write_volume
from medsegan.slices import SliceStore
from medsegan.workflows.case_label import read_case_label
from medsegan.workflows.datasets.discover import discover
from medsegan.workflows.workspace import Workspace

GRID = oblique_grid()
NAMES = ("liver", "left kidney", "spleen")


def series_uid(folder: Path) -> str:
    return str(pydicom.dcmread(next(folder.iterdir())).SeriesInstanceUID)


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """Two patients; the segments of the second are numbered in another order."""
    for patient, order in {"p1": (0, 1, 2), "p2": (2, 0, 1)}.items():
        folder = tmp_path / "set" / patient
        series = write_scan(folder / "ct", GRID, seed=patient)
        labels = np.zeros_like(organs())
        for number, index in enumerate(order, start=1):
            labels[organs() == index + 1] = number
        (folder / "annotation").mkdir()
        write_seg(labels, series, folder / "annotation" / "1.dcm", [NAMES[index] for index in order])
    return tmp_path / "set"


def test_segmentations_are_paired_with_the_series_that_they_name(data_set: Path) -> None:
    # Names would pair them the wrong way round.
    one, two = (data_set / patient / "annotation" / "1.dcm" for patient in ("p1", "p2"))
    one.rename(data_set / "seg.dcm"), two.rename(one), (data_set / "seg.dcm").rename(two)
    found = discover([data_set])
    assert {case.image.parent.name: case.label for case in found.cases} == {"p1": two, "p2": one}
    assert "with DICOM segmentations or structure sets beside them" in found.layout


def test_labels_among_the_slices_of_their_series(data_set: Path) -> None:
    for patient in ("p1", "p2"):
        folder = data_set / patient
        (folder / "annotation" / "1.dcm").rename(folder / "ct" / "zz.dcm")
    found = discover([data_set])
    assert [(case.image.name, case.label and case.label.name) for case in found.cases] == [("ct", "zz.dcm")] * 2


def test_labels_of_a_series_that_is_not_here_are_paired_with_no_other(data_set: Path) -> None:
    other = write_scan(data_set.parent / "other", GRID, seed="p3")
    path = data_set / "p1" / "annotation" / "1.dcm"
    write_seg(organs(), other, path, NAMES)
    path.rename(data_set / "p1" / "ct_label.dcm")
    found = discover([data_set])
    assert {case.image.parent.name: case.label is not None for case in found.cases} == {"p1": False, "p2": True}
    assert found.orphans == (data_set / "p1" / "ct_label.dcm",)


def test_two_segmentations_of_one_series_are_refused(data_set: Path) -> None:
    folder = data_set / "p1" / "annotation"
    (folder / "2.dcm").write_bytes((folder / "1.dcm").read_bytes())
    with pytest.raises(DataError, match=r"2 segmentations or structure sets .*1.dcm, 2.dcm.*--labels"):
        discover([data_set])


def test_segments_go_by_their_names_whatever_their_numbers(data_set: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = run(tmp_path / "work", data_set)
    assert not result.failures
    workspace = Workspace.open(tmp_path / "work")
    assert workspace.labels == {"liver": 1, "left_kidney": 2, "spleen": 3}
    store = SliceStore.open(workspace.store_path("ct"))
    first, second = (case.class_voxels for case in store.cases())
    assert first == second
    assert first is not None
    assert first[1:] == tuple(int((organs() == value).sum()) for value in (1, 2, 3))


def test_classes_choose_segments_by_name_and_give_them_values(data_set: Path, tmp_path: Path) -> None:
    result = run(tmp_path / "work", data_set, classes={"spleen": 7, "liver": 2})
    assert not result.failures
    workspace = Workspace.open(tmp_path / "work")
    assert workspace.labels == {"spleen": 7, "liver": 2}
    for case in SliceStore.open(workspace.store_path("ct")).cases():
        assert case.class_voxels is not None
        assert case.class_voxels[1:] == ((organs() == 3).sum(), (organs() == 1).sum())


def test_a_structure_set_beside_its_series(tmp_path: Path) -> None:
    series = write_scan(tmp_path / "set" / "ct", GRID)
    grid = read_volume(series).grid
    curves = [at_height(circle((12.1, 11.2), 6.3), height) for height in range(2, 6)]
    path = write_rtstruct(tmp_path / "set" / "RS.dcm", grid, {"Liver": curves}, series_uid=series_uid(series))
    found = discover([tmp_path / "set"])
    assert [case.label for case in found.cases] == [path]
    assert not run(tmp_path / "work", tmp_path / "set", test_fraction=1.0).failures
    assert Workspace.open(tmp_path / "work").labels == {"liver": 1}


def write_total(folder: Path) -> Path:
    """As TotalSegmentator lays out its cases."""
    for case in ("s01", "s02"):
        (folder / case / "segmentations").mkdir(parents=True)
        array = np.random.default_rng(1).integers(-100, 100, GRID.shape).astype(np.int16)
        write_volume(Volume(array, GRID, "ct"), folder / case / "ct.nii.gz")
        for value, name in enumerate(("liver", "spleen"), start=1):
            mask = LabelVolume((organs() == value).astype(np.uint8), GRID)
            write_label(mask, folder / case / "segmentations" / f"{name}.nii.gz")
    return folder


def test_a_folder_of_classes_beside_each_scan(tmp_path: Path) -> None:
    folder = write_total(tmp_path / "set")
    found = discover([folder])
    assert [(case.image.parent.name, case.label) for case in found.cases] == [
        (name, folder / name / "segmentations") for name in ("s01", "s02")
    ]
    assert not run(tmp_path / "work", folder, modality="ct").failures
    assert Workspace.open(tmp_path / "work").labels == {"liver": 1, "spleen": 2}


def test_label_volumes_of_whole_scans_are_no_classes(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "labels/a.nii.gz", "labels/b.nii.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [case.label for case in discover([tmp_path]).cases if case.label] != [tmp_path / "labels"]


def test_labels_on_another_grid_are_resampled_when_asked(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    affine = np.array(GRID.world_from_voxel)
    affine[:3, 2] /= 2
    fine = Grid((*GRID.shape[:2], GRID.shape[2] * 2), affine)
    for name in ("a.nii.gz", "b.nii.gz"):
        array = np.random.default_rng(1).integers(-100, 100, GRID.shape).astype(np.int16)
        write_volume(Volume(array, GRID, "ct"), folder / "images" / name)
        write_label(LabelVolume(organs().repeat(2, axis=2), fine), folder / "labels" / name)
    with pytest.raises(DataError, match="--resample-labels"):
        run(tmp_path / "work", folder, modality="ct")
    assert not run(tmp_path / "work", folder, modality="ct", resample_labels=True).failures
    label, notes = read_case_label(folder / "labels" / "a.nii.gz", GRID, {}, resample=True)
    assert label.grid is GRID
    assert any("resampled" in note for note in notes)


def test_names_in_files_of_values_count_unless_nobody_knows_them(tmp_path: Path) -> None:
    path = tmp_path / "label.nii.gz"
    write_label(LabelVolume(organs(), GRID, names={1: "spleen", 2: "liver", 3: "lung"}), path)
    label, notes = read_case_label(path, GRID, {"liver": 1, "spleen": 2})
    assert np.array_equal(label.array == 1, organs() == 2)
    assert np.array_equal(label.array == 2, organs() == 1)
    assert any("background: lung" in note for note in notes)
    label, notes = read_case_label(path, GRID, {"Leber": 2, "Milz": 1})
    assert np.array_equal(label.array, organs())
    assert any("its values count" in note for note in notes)


def test_names_of_dataset_json_come_before_those_that_nobody_knows(tmp_path: Path) -> None:
    data = tmp_path / "set"
    for case in ("a", "b", "c", "d"):
        for folder in ("imagesTr", "labelsTr"):
            (data / folder).mkdir(parents=True, exist_ok=True)
        scan = Volume(np.random.default_rng(1).integers(-100, 100, GRID.shape).astype(np.int16), GRID, "ct")
        write_volume(scan, data / "imagesTr" / f"{case}_0000.nii.gz")
        named = LabelVolume(organs(), GRID, names={1: "Leber", 2: "Niere", 3: "Milz"})
        write_label(named, data / "labelsTr" / f"{case}.nii.gz")
    classes = {"background": 0, "liver": 1, "kidney": 2, "spleen": 3}
    document = {"labels": classes, "channel_names": {"0": "CT"}, "file_ending": ".nii.gz", "numTraining": 4}
    (data / "dataset.json").write_text(json.dumps(document))
    run(tmp_path / "work", data, modality="ct")
    assert Workspace.open(tmp_path / "work").labels == {"liver": 1, "kidney": 2, "spleen": 3}
