"""What is a scan by name and magic."""

from pathlib import Path

import pytest

from medsegan.errors import DataError, UsageError
from medsegan.imaging import (
    is_archive,
    is_dicom_file,
    is_picture_file,
    is_scan,
    read_label,
    read_volume,
    scan_stem,
)
from medsegan.imaging.formats import format_of


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("ct_000.nii.gz", "ct_000"),
        ("CT.NII.GZ", "CT"),
        ("a.b.nii", "a.b"),
        ("pair.hdr.gz", "pair"),
        ("x.mha", "x"),
        ("x.seg.nrrd", "x.seg"),
        ("slice.dcm", "slice"),
        ("IM0001", "IM0001"),
        ("notes.txt", "notes.txt"),
    ],
)
def test_stems(name, stem):
    assert scan_stem(Path("folder") / name) == stem


def test_the_stem_of_a_folder_is_its_name(tmp_path):
    (tmp_path / "odd.nii").mkdir()
    assert scan_stem(tmp_path / "odd.nii") == "odd.nii"


def test_what_counts_as_a_scan(tmp_path):
    dicom = b"\0" * 128 + b"DICM"
    files = {
        "a.nii.gz": b"",
        "b.mhd": b"",
        "c.hdr": b"",
        "c.img": b"",
        "d.dcm": b"",
        "IM0001": dicom,
        "._a.nii.gz": b"",
        "e.txt": dicom[:100],
        "f.img": b"a floppy disk",
        "g.hdr.gz": b"",
        "g.img.gz": b"",
        "DICOMDIR": dicom,
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = {name for name in files if is_scan(tmp_path / name)}
    assert found == {"a.nii.gz", "b.mhd", "c.hdr", "d.dcm", "IM0001", "g.hdr.gz"}
    assert not is_scan(tmp_path / "absent.nii")


def test_a_folder_counts_by_its_own_files(tmp_path):
    (tmp_path / "study" / "series").mkdir(parents=True)
    (tmp_path / "study" / "series" / "IM1").write_bytes(b"\0" * 128 + b"DICM")
    assert is_scan(tmp_path / "study" / "series")
    assert not is_scan(tmp_path / "study")


def test_series_of_a_file_and_labels_in_dicom_are_refused(tmp_path):
    (tmp_path / "a.nii").write_bytes(b"")
    with pytest.raises(UsageError, match="only DICOM"):
        read_volume(tmp_path / "a.nii", series="1")
    (tmp_path / "series").mkdir()
    with pytest.raises(DataError, match=r"holds 0 DICOM segmentations \(SEG\)"):
        read_label(tmp_path / "series")


@pytest.mark.parametrize("name", ["I0001.img", "I0001.hdr", "I0001.png", "I0001.nii", "I0001.zip"])
def test_dicom_is_known_by_its_content_whatever_it_is_called(tmp_path, name):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / name).write_bytes(b"\0" * 128 + b"DICM")
    assert format_of(folder / name) == "dicom"
    assert is_dicom_file(folder / name)
    assert is_scan(folder / name)
    assert is_scan(folder)
    assert not is_picture_file(folder / name)
    assert not is_archive(folder / name)
