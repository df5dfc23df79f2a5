"""What lies beside the slices of a series: other objects, other files, copies, other encodings and folders."""

import random
import shutil

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from series_outcomes import refused, require, right

DIRECTORY = "1.2.840.10008.1.3.10"
OBJECTS = {
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.66.4": "Segmentation",
    "1.2.840.10008.5.1.4.1.1.481.3": "RT Structure Set",
    "1.2.840.10008.5.1.4.1.1.481.2": "RT Dose",
    "1.2.840.10008.5.1.4.1.1.11.1": "Presentation State",
    "1.2.840.10008.5.1.4.1.1.88.59": "Key Object",
    "1.2.840.10008.5.1.4.1.1.88.67": "Dose SR",
    "1.2.840.10008.5.1.4.1.1.104.1": "Encapsulated PDF",
    "1.2.840.10008.5.1.4.1.1.6.1": "Ultrasound",
    "1.2.840.10008.5.1.4.1.1.20": "Nuclear Medicine",
    "1.2.840.10008.5.1.4.1.1.128": "Positron Emission",
    "1.2.840.10008.5.1.4.1.1.12.1": "X-Ray Angiographic",
    "1.2.840.10008.5.1.4.1.1.1.2": "Mammography",
    "1.2.840.10008.5.1.4.1.1.1": "Computed Radiography",
    "1.2.3.4.5.6": "1.2.3.4.5.6|unknown",
}


def write_object(sop_class, path, announced=None):
    """An object of another class, with the least that it may hold."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = announced or sop_class
    meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = "1.2.3.77", ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    if sop_class:
        dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID = "1.2.3.77", "1.2.3.4"
    dataset.StudyInstanceUID, dataset.PatientID = "1.2.3", ""
    dataset.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize(("sop_class", "name"), OBJECTS.items())
def test_another_object_beside_the_slices_is_left_out_by_name(slices, write_specs, sop_class, name):
    folder = write_specs(slices.stack())
    write_object(sop_class, folder / "other.dcm")
    require(right(12, name), folder, slices.off)


@pytest.mark.parametrize(("announced", "outcome"), [("1.2.3", refused("SOP class")), (DIRECTORY, right(12, "1"))])
def test_an_object_without_a_class_is_refused_unless_it_is_a_list_of_files(
    slices, write_specs, announced, outcome
):
    folder = write_specs(slices.stack())
    write_object("", folder / "other.dcm", announced)
    require(outcome, folder, slices.off)


@pytest.mark.parametrize(("sop_class", "name"), OBJECTS.items())
def test_slices_of_another_class_are_refused_by_name(slices, write_specs, sop_class, name):
    folder = write_specs(slices.stack(sop_class=sop_class))
    require(refused(r"X-ray pictures|holds no CT or MR slices but .*\(12\)"), folder, slices.off)


def test_a_colour_page_of_the_class_of_ct_is_left_out(slices, write_specs):
    page = slices.slice(
        np.zeros(3), matrix=(60, 80), tags={"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3}
    )
    require(right(12, r"CT Image Storage \(1\)"), write_specs([*slices.stack(), page]), slices.off)


def test_damaged_geometry_of_another_object_does_not_matter(slices, write_specs):
    folder = write_specs(slices.stack())
    write_object("1.2.840.10008.5.1.4.1.1.7", folder / "other.dcm")
    with pydicom.config.disable_value_validation():
        dataset = pydicom.dcmread(folder / "other.dcm")
        dataset.add_new(0x00180050, "LO", "unknown")
        dataset.save_as(folder / "other.dcm")
    require(right(12, "Secondary Capture"), folder, slices.off)


@pytest.mark.parametrize("name", ["notes.txt", "thumb.jpg", "Thumbs.db", "empty", "preamble"])
def test_files_that_are_no_dicom_are_left_out(slices, write_specs, name):
    folder = write_specs(slices.stack())
    content = {"empty": b"", "preamble": b"\0" * 128 + b"DICX" + b"\0" * 500}.get(
        name, random.Random(1).randbytes(999)
    )
    (folder / name).write_bytes(content)
    require(right(12, "left out 1 files that are not DICOM"), folder, slices.off)


@pytest.mark.parametrize("content", [b"", b"\0" * 4000, b"<html>404</html>"])
@pytest.mark.parametrize("suffix", [".dcm", ".IMA"])
def test_a_slice_of_other_content_is_refused_by_its_name(slices, write_specs, suffix, content):
    folder = write_specs(slices.stack())
    (folder / f"last{suffix}").write_bytes(content)
    require(refused(f"last{suffix}: it is named as DICOM"), folder, slices.off)


@pytest.mark.parametrize("keeps_meta", [True, False])
@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_plain_encoding_is_read(slices, write_specs, syntax, keeps_meta):
    if not keeps_meta and syntax in (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        pytest.skip("not to be told without a meta header")
    folder = write_specs(slices.stack())
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = syntax
        how = {"little_endian": syntax.is_little_endian, "implicit_vr": syntax.is_implicit_VR}
        if not keeps_meta:
            del dataset.file_meta
            dataset.preamble = None
        pydicom.dcmwrite(path, dataset, **how, force_encoding=True)
    require(right(), folder, slices.off)


def test_mixed_encodings_are_read(slices, write_specs):
    folder = write_specs(slices.stack())
    for path in sorted(folder.iterdir())[::2]:
        dataset = pydicom.dcmread(path)
        dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    require(right(), folder, slices.off)


@pytest.mark.parametrize("layout", ["each its own", "two", "copy", "hidden copy"])
def test_folders_below_the_folder_are_one(slices, write_specs, layout):
    folder = write_specs(slices.stack())
    names = sorted(folder.iterdir())
    if "copy" in layout:
        shutil.copytree(folder, folder / (".copy" if "hidden" in layout else "copy"))
    else:
        for index, path in enumerate(names):
            below = folder / f"sub {index if layout == 'each its own' else index % 2}"
            below.mkdir(exist_ok=True)
            path.rename(below / "slice")
            (below / "slice").rename(below / path.name)
    require(right(12, "12 exact copies" if layout == "copy" else ""), folder, slices.off)


def test_a_slice_of_the_same_name_in_two_folders_is_two(slices, write_specs):
    folder = write_specs(slices.stack())
    for index, path in enumerate(sorted(folder.iterdir())):
        (folder / str(index)).mkdir()
        path.rename(folder / str(index) / "I1")
    require(right(), folder, slices.off)


@pytest.mark.parametrize("kept", [140, 160, 180, 200, 300, 400, 700, -1])
def test_a_slice_cut_off_is_refused_by_its_name(slices, write_specs, kept):
    folder = write_specs(slices.stack())
    path = folder / "IM0003.dcm"
    path.write_bytes(path.read_bytes()[:kept])
    require(refused("IM0003"), folder, slices.off)


def test_a_file_stands_for_its_own_volume(slices, write_specs):
    derived = [
        slices.slice(
            np.array([-10.0, -20 + k, 30.0]),
            (1.0, 0, 0),
            (0, 0, -1.0),
            tags={"ImageType": ["DERIVED", "SECONDARY"]},
        )
        for k in range(5)
    ]
    scout = slices.slice(np.zeros(3), tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    folder = write_specs([*slices.stack(), *derived, scout])
    by_type = {tuple(pydicom.dcmread(path).ImageType): path for path in folder.iterdir()}
    require(right(12, "read from its folder"), by_type["ORIGINAL", "PRIMARY", "AXIAL"], slices.off)
    require(refused("derived slice beside the originals"), by_type["DERIVED", "SECONDARY"], slices.off)
    require(refused("no slice of a volume"), by_type["ORIGINAL", "PRIMARY", "LOCALIZER"], slices.off)
