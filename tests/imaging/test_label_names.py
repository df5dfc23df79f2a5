"""Names of classes travel inside the files, and come back whatever else is in them."""

import xml.etree.ElementTree as ElementTree

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.nifti1 import Nifti1Extension
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, read_label, write_label
from medsegan.imaging.label_table import PNG_KEYWORD

NAMES = {1: "liver", 3: "left_kidney", 300: "œsophage_é%41"}
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
TOTALSEGMENTATOR = """<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>
<Date><![CDATA[2013-07-14T05:45:09]]></Date>
<VolumeInformation Index="0">   <LabelTable>
<Label Key="1" Red="0.54" Green="0.85" Blue="0.92" Alpha="1"><![CDATA[spleen]]></Label>
<Label Key="2" Red="0.1" Green="0.2" Blue="0.3" Alpha="1"><![CDATA[kidney_right]]></Label>
</LabelTable>  <StudyMetaDataLinkSet>  </StudyMetaDataLinkSet>  <VolumeType><![CDATA[Label]]></VolumeType>
</VolumeInformation></CaretExtension>"""


def labels(values=(1, 3, 300), shape=(4, 5, 3)):
    array = np.zeros(shape, np.uint16)
    array.ravel()[5 : 5 + len(values)] = values
    return array


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_they_come_back(tmp_path, suffix):
    path = tmp_path / f"l{suffix}"
    write_label(LabelVolume(labels(), Grid((4, 5, 3), np.eye(4)), names={0: "background", **NAMES}), path)
    back = read_label(path)
    assert dict(back.names) == NAMES
    assert np.array_equal(back.array, labels())
    assert back.notes == ()


def test_they_come_back_from_a_picture(tmp_path):
    grid = Grid((4, 5, 1), np.diag([-1.0, -1, 1, 1]))
    write_label(LabelVolume(labels(shape=(4, 5, 1)), grid, names=NAMES), tmp_path / "l.png")
    assert dict(read_label(tmp_path / "l.png").names) == NAMES


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".png"])
def test_without_names_nothing_is_added(tmp_path, suffix):
    grid = Grid((4, 5, 1), np.diag([-1.0, -1, 1, 1]))
    write_label(LabelVolume(labels(shape=(4, 5, 1)), grid), tmp_path / f"l{suffix}")
    assert read_label(tmp_path / f"l{suffix}").names == {}
    if suffix == ".nii":
        assert len(nib.load(tmp_path / "l.nii").header.extensions) == 0


@settings(max_examples=25)
@given(
    names=st.dictionaries(
        st.integers(1, 65535),
        st.text(
            st.characters(exclude_categories=["C", "Z"], exclude_characters="=,;/\\"), min_size=1, max_size=80
        ),
        max_size=6,
    ),
    suffix=st.sampled_from([".nii", ".nrrd", ".mha"]),
)
def test_any_name(tmp_path_factory, names, suffix):
    names = {value: name.strip("_").lower() for value, name in names.items()}
    names = {value: name for value, name in names.items() if name and name != "background"}
    path = tmp_path_factory.mktemp("any") / f"l{suffix}"
    array = labels(tuple(names))
    write_label(LabelVolume(array, Grid(array.shape, np.eye(4)), names=names), path)
    back = read_label(path)
    assert np.array_equal(back.array, array)
    if len(set(names.values())) == len(names):
        assert dict(back.names) == names
    else:
        assert "both be the class" in back.notes[0]


def test_the_table_is_that_of_the_workbench(tmp_path):
    write_label(LabelVolume(labels(), Grid((4, 5, 3), np.eye(4)), names=NAMES), tmp_path / "l.nii.gz")
    extension = nib.load(tmp_path / "l.nii.gz").header.extensions[0]
    assert extension.get_code() == 30
    root = ElementTree.fromstring(extension.content.rstrip(b"\0"))
    assert root.tag == "CaretExtension"
    table = {int(one.get("Key")): one.text for one in root.findall("./VolumeInformation/LabelTable/Label")}
    assert table == NAMES
    assert root.findtext("./VolumeInformation/VolumeType") == "Label"
    for one in root.iter("Label"):
        assert all(0 <= float(one.get(part)) <= 1 for part in ("Red", "Green", "Blue", "Alpha"))
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "l.nii.gz"))).max() == 300


def with_extension(path, code, text, values=(1, 2)):
    array = labels(values)
    image = nib.Nifti1Image(array, np.eye(4))
    image.header.extensions.append(Nifti1Extension(6, b"a comment"))
    image.header.extensions.append(Nifti1Extension(code, text.encode()))
    nib.save(image, path)
    return path


@pytest.mark.parametrize("code", [0, 30])
def test_the_table_of_totalsegmentator(tmp_path, code):
    label = read_label(with_extension(tmp_path / "l.nii.gz", code, TOTALSEGMENTATOR))
    assert dict(label.names) == {1: "spleen", 2: "kidney_right"}
    assert label.notes == ()


@pytest.mark.parametrize(
    "text",
    [
        TOTALSEGMENTATOR[:-20],
        TOTALSEGMENTATOR.replace('Key="1"', 'Key="one"'),
        TOTALSEGMENTATOR.replace('Key="1"', ""),
        TOTALSEGMENTATOR.replace("kidney_right", "Spleen"),
        '<!DOCTYPE a [<!ENTITY b "liver">]><Label Key="1">&b;</Label>',
        "<Label",
    ],
)
def test_a_damaged_table_is_left_out_with_a_note(tmp_path, text):
    label = read_label(with_extension(tmp_path / "l.nii", 0, text))
    assert label.names == {}
    assert np.array_equal(label.array, labels((1, 2)))
    assert any("table of class names" in note for note in label.notes)


def test_values_that_the_table_lacks_are_named_by_their_number(tmp_path):
    label = read_label(with_extension(tmp_path / "l.nii", 0, TOTALSEGMENTATOR, (1, 2, 7)))
    assert dict(label.names) == {1: "spleen", 2: "kidney_right", 7: "label_7"}
    assert "does not name its values 7" in label.notes[0]


def test_only_some_classes_are_read_by_name(tmp_path):
    path = with_extension(tmp_path / "l.nii", 0, TOTALSEGMENTATOR)
    label = read_label(path, only=["Kidney right"])
    assert dict(label.names) == {2: "kidney_right"}
    assert set(np.unique(label.array)) == {0, 2}
    assert "not asked for are background: spleen" in label.notes[0]


def test_where_no_name_is_known_the_values_count(tmp_path):
    path = with_extension(tmp_path / "l.nii", 0, TOTALSEGMENTATOR)
    for chosen in ({"only": ["Milz", "Niere"]}, {"known": ["Milz", "Niere"]}):
        label = read_label(path, **chosen)
        assert label.names == {}
        assert set(np.unique(label.array)) == {0, 1, 2}
        assert "its values count" in label.notes[0]


def test_the_fields_of_slicer(tmp_path):
    write_label(LabelVolume(labels(), Grid((4, 5, 3), np.eye(4)), names=NAMES), tmp_path / "l.nrrd")
    image = sitk.ReadImage(str(tmp_path / "l.nrrd"))
    fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    assert fields["Segment1_ID"] == "Segment_3"
    assert fields["Segment1_Name"] == "left_kidney"
    assert fields["Segment1_LabelValue"] == "3"
    assert fields["Segment1_Layer"] == "0"
    assert fields["Segment1_Extent"] == "0 3 0 4 0 2"
    assert len(fields["Segment1_Color"].split()) == 3


def test_fields_that_say_nothing_are_left_out(tmp_path):
    image = sitk.GetImageFromArray(labels().T.copy())
    for key, text in (("Segment0_Name", "liver"), ("Segment1_LabelValue", "x"), ("Segment1_Name", "y")):
        image.SetMetaData(key, text)
    sitk.WriteImage(image, str(tmp_path / "l.nrrd"))
    label = read_label(tmp_path / "l.nrrd")
    assert label.names == {}
    assert "table of class names" in label.notes[0]


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"a": "b"}', "3"])
def test_a_damaged_text_of_a_picture_is_left_out(tmp_path, text):
    info = PngInfo()
    info.add_itxt(PNG_KEYWORD, text)
    Image.fromarray(np.eye(5, dtype=np.uint8)).save(tmp_path / "l.png", pnginfo=info)
    label = read_label(tmp_path / "l.png")
    assert label.names == {}
    assert label.array.sum() == 5
    assert any("table of class names" in note for note in label.notes)


def test_a_hundred_classes(tmp_path):
    names = {value: f"class_number_{value}" for value in range(1, 121)}
    for suffix in SUFFIXES:
        path = tmp_path / f"l{suffix}"
        array = labels(tuple(names), shape=(8, 9, 3))
        write_label(LabelVolume(array, Grid(array.shape, np.eye(4)), names=names), path)
        assert dict(read_label(path).names) == names
