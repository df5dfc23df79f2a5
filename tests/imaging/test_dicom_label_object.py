"""DICOM objects of labels: how they were made, whose they are, what they are called, and when none is written."""

import shutil
import sys
import zipfile

import numpy as np
import pydicom
import pytest
from world_labels import NAMES, SEGMENTS, WorldLabels, label_of, require_true_to_place, turned

import medsegan.imaging.dicom.write_label_object as module
from medsegan.errors import DataError, InputError, MedseganError, UsageError
from medsegan.imaging import LabelVolume, write_dicom_label, write_label


@pytest.fixture
def axial(slices, write_specs):
    return write_specs(turned(slices, "axial"))


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("manual", "MANUAL"), ("Semiautomatic smart brush 3", "SEMIAUTOMATIC"), (None, "AUTOMATIC")],
)
def test_how_the_labels_were_made(axial, tmp_path, algorithm, kind):
    write_dicom_label(label_of(axial), tmp_path / "s.dcm", source=axial, algorithm=algorithm)
    segment = pydicom.dcmread(tmp_path / "s.dcm").SegmentSequence[0]
    assert segment.SegmentAlgorithmType == kind
    assert ("SegmentationAlgorithmIdentificationSequence" in segment) == (kind != "MANUAL")


def test_a_zip_archive_a_file_and_one_of_two_series(slices, axial, tmp_path):
    label = label_of(axial)
    with zipfile.ZipFile(tmp_path / "scan.zip", "w") as archive:
        for file in axial.iterdir():
            archive.write(file, f"ct/{file.name}")
    world_labels = WorldLabels(label.grid)
    for number, source in enumerate((tmp_path / "scan.zip", next(axial.iterdir()))):
        write_dicom_label(label, tmp_path / f"{number}.dcm", source=source)
        require_true_to_place(tmp_path / f"{number}.dcm", world_labels, SEGMENTS)
    shutil.copytree(axial, tmp_path / "both" / "one")
    for file in sorted(axial.iterdir()):
        dataset = pydicom.dcmread(file)
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = "1.2.3.99", f"{dataset.SOPInstanceUID}.1"
        dataset.save_as(tmp_path / "both" / f"second_{file.name}")
    with pytest.raises(DataError, match="ask for one of them"):
        write_dicom_label(label, tmp_path / "s.dcm", source=tmp_path / "both")
    write_dicom_label(label, tmp_path / "s.dcm", source=tmp_path / "both", series="1.2.3.99")
    assert pydicom.dcmread(tmp_path / "s.dcm").ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.99"


@pytest.mark.parametrize(("charset", "name"), [("ISO_IR 100", "Müller^Ä"), ("ISO_IR 192", "山田^太郎")])
def test_what_scanners_and_anonymisers_write_is_kept(slices, write_specs, tmp_path, charset, name):
    series = write_specs(turned(slices, "oblique"))
    odd = {"PatientSex": "unknown", "PatientBirthDate": "XXXX", "StudyDate": "1999.01.01", "PatientAge": "old"}
    with pydicom.config.disable_value_validation():
        for index, file in enumerate(sorted(series.iterdir())):
            dataset = pydicom.dcmread(file)
            dataset.SpecificCharacterSet, dataset.PatientName = charset, name
            for keyword, value in odd.items():
                setattr(dataset, keyword, value)
            dataset.ImageOrientationPatient[0] = str(float(dataset.ImageOrientationPatient[0]) + 1e-7 * index)
            dataset.save_as(file)
        write_dicom_label(label_of(series), tmp_path / "s.dcm", source=series)
        seg = pydicom.dcmread(tmp_path / "s.dcm")
        assert str(seg.PatientName) == name
        assert {keyword: seg.get_item(keyword).value.decode().strip() for keyword in odd} == odd
        assert seg.SpecificCharacterSet == "ISO_IR 192"


def test_a_bare_series_without_a_patient(slices, write_specs, tmp_path):
    series = write_specs(slices.stack())
    write_dicom_label(label_of(series), tmp_path / "s.dcm", source=series)
    assert pydicom.dcmread(tmp_path / "s.dcm").PatientID == ""


@pytest.mark.parametrize("keyword", ["FrameOfReferenceUID", "StudyInstanceUID"])
def test_a_series_that_nothing_can_be_tied_to_is_refused(slices, axial, tmp_path, keyword):
    for file in axial.iterdir():
        dataset = pydicom.dcmread(file)
        del dataset[keyword]
        dataset.save_as(file)
    with pytest.raises(DataError, match=f"has no {keyword}"):
        write_dicom_label(label_of(axial), tmp_path / "s.dcm", source=axial)
    assert not (tmp_path / "s.dcm").exists()


def test_names_that_dicom_cannot_hold(axial, tmp_path):
    label = label_of(axial, names={1: "a\\b\nc" + "x" * 80, 4: "Größe^1=2", 7: "A/B C" + "X" * 59 + "y"})
    notes = write_dicom_label(label, tmp_path / "s.dcm", source=axial)
    assert any("names that DICOM cannot hold" in note for note in notes)
    labels = [one.SegmentLabel for one in pydicom.dcmread(tmp_path / "s.dcm").SegmentSequence]
    assert labels[0] == "a/b c" + "x" * 59
    assert labels[1] == "Größe^1=2"
    assert labels[2].endswith(" 7")
    assert len(set(labels)) == 3
    assert max(map(len, labels)) <= 64
    label = label_of(axial, names={1: "background", 4: "liver", 7: "LIVER"})
    write_dicom_label(label, tmp_path / "s.dcm", source=axial)
    labels = [one.SegmentLabel for one in pydicom.dcmread(tmp_path / "s.dcm").SegmentSequence]
    assert labels == ["background 1", "liver", "LIVER 7"]


def test_without_names_classes_go_by_their_values_and_absent_ones_are_left_out(axial, tmp_path):
    write_dicom_label(label_of(axial, names={}), tmp_path / "s.dcm", source=axial)
    labels = [one.SegmentLabel for one in pydicom.dcmread(tmp_path / "s.dcm").SegmentSequence]
    assert labels == ["label 1", "label 4", "label 7"]
    notes = write_dicom_label(label_of(axial, names=NAMES | {9: "lung"}), tmp_path / "s.dcm", source=axial)
    assert "classes without a voxel are not written: lung" in notes


def test_reproducible_uids(axial, tmp_path):
    label = label_of(axial)
    for name in ("a", "b"):
        write_dicom_label(label, tmp_path / f"{name}.dcm", source=axial, reproducible_uids=True)
        write_dicom_label(label, tmp_path / f"{name}_new.dcm", source=axial)
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    one, other = (pydicom.dcmread(tmp_path / f"{name}_new.dcm") for name in ("a", "b"))
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID != other.SeriesInstanceUID
    label.array[label.array == 7] = 0
    write_dicom_label(label, tmp_path / "b.dcm", source=axial, reproducible_uids=True)
    assert pydicom.dcmread(tmp_path / "b.dcm").SOPInstanceUID != pydicom.dcmread(tmp_path / "a.dcm").SOPInstanceUID


def test_nothing_to_write_and_wrong_ways_of_asking(axial, tmp_path):
    label = label_of(axial)
    empty = LabelVolume(label.array * 0, label.grid)
    with pytest.raises(DataError, match="no voxel is labelled"):
        write_dicom_label(empty, tmp_path / "s.dcm", source=axial)
    with pytest.raises(UsageError, match=r"\.dcm"):
        write_dicom_label(label, tmp_path / "s.nii", source=axial)
    with pytest.raises(UsageError, match="seg, labelmap, rtstruct"):
        write_dicom_label(label, tmp_path / "s.dcm", source=axial, form="fractional")
    with pytest.raises(UsageError, match="an image of the series"):
        write_dicom_label(label, next(axial.iterdir()), source=axial)
    with pytest.raises(InputError, match="no such folder"):
        write_dicom_label(label, tmp_path / "absent" / "s.dcm", source=axial)
    with pytest.raises(InputError, match="no such file"):
        write_dicom_label(label, tmp_path / "s.dcm", source=tmp_path / "absent")
    write_label(label, tmp_path / "l.nii.gz")
    with pytest.raises(DataError, match="series of DICOM images"):
        write_dicom_label(label, tmp_path / "s.dcm", source=tmp_path / "l.nii.gz")


@pytest.mark.parametrize("form", ["seg", "labelmap", "rtstruct"])
def test_what_does_not_come_back_is_an_error_and_leaves_the_old_file(axial, tmp_path, monkeypatch, form):
    label = label_of(axial)
    (tmp_path / "s.dcm").write_bytes(b"old")
    name = "write_rtstruct" if form == "rtstruct" else "write_seg"
    real = getattr(module, name)
    monkeypatch.setattr(module, name, lambda array, *others: real(array[::-1], *others))
    with pytest.raises(DataError, match=r"Liver comes back with .* mm from its place"):
        write_dicom_label(label, tmp_path / "s.dcm", source=axial, form=form)
    swap = np.array([0, 4, 0, 0, 1, 0, 0, 7], dtype=np.uint8)
    monkeypatch.setattr(module, name, lambda array, *others: real(swap[array], *others))
    with pytest.raises(DataError, match="comes back with"):
        write_dicom_label(label, tmp_path / "s.dcm", source=axial, form=form)
    assert (tmp_path / "s.dcm").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.dcm", "series"]


def test_without_highdicom_the_remedy_is_named(axial, tmp_path, monkeypatch):
    label = label_of(axial)
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MedseganError, match=r'pip install "medsegan\[dicom\]"'):
        write_dicom_label(label, tmp_path / "s.dcm", source=axial)
    write_dicom_label(label, tmp_path / "s.dcm", source=axial, form="rtstruct")
