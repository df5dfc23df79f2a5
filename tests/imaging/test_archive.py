"""Archives: a series in a zip is the series; what could do harm is refused and leaves nothing behind."""

import stat
import struct
import tempfile
import zipfile

import numpy as np
import pytest

from medsegan.errors import DataError, InputError, MedseganError
from medsegan.imaging import archive, is_scan, read_patient_key, read_series, read_volume, scan_stem


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """The folder of temporary files, of the test alone."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def pack(slices, write_specs, tmp_path):
    """A function that packs the clean series and other members."""

    def write(others=(), specs=None, method=zipfile.ZIP_DEFLATED):
        folder = write_specs(specs or slices.stack(tags={"PatientID": "mueller"}))
        path = tmp_path / "case.zip"
        with zipfile.ZipFile(path, "w", method) as target:
            for file in sorted(folder.iterdir()):
                target.write(file, f"study/series/{file.name}")
            for info, content in others:
                target.writestr(info, content)
        return path

    return write


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packed_series_is_the_series(slices, pack, scratch, tmp_path, method):
    path = pack([("__MACOSX/study/._a.dcm", b"x"), (".DS_Store", b"y"), ("study/", b"")], method=method)
    volume = read_volume(path)
    assert slices.off(volume)[0].max() <= 1
    assert volume.notes == ()
    assert np.array_equal(volume.array, read_series(tmp_path / "series").array)
    assert list(scratch.iterdir()) == []
    assert is_scan(path)
    assert scan_stem(path) == "case"
    assert read_patient_key(path) == read_patient_key(tmp_path / "series") is not None


def test_gaps_and_series_are_options_of_an_archive_too(slices, pack):
    specs = [*slices.stack(), *slices.stack(19, 5.0, series_uid="1.2.3.6")]
    del specs[5]
    path = pack(specs=specs)
    assert read_volume(path, series="1.2.3.4", fix_gaps=True).array.shape == (32, 40, 12)
    with pytest.raises(DataError, match="19 slices") as caught:
        read_volume(path)
    assert str(path) in str(caught.value)


def test_an_error_names_the_file_as_the_archive_does(pack, scratch, tmp_path):
    path = pack()
    whole = (tmp_path / "series" / "IM0003.dcm").read_bytes()
    with zipfile.ZipFile(path, "a") as target:
        target.writestr("study/series/bad.dcm", whole[:-500])
    with pytest.raises(MedseganError) as caught:
        read_volume(path)
    assert f"{path}/study/series/bad.dcm" in str(caught.value)
    assert str(scratch) not in str(caught.value)
    assert list(scratch.iterdir()) == []


def link():
    info = zipfile.ZipInfo("study/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "content", "reason"),
    [
        ("../escaped", b"x", "leads out"),
        ("a/../../escaped", b"x", "leads out"),
        ("..\\escaped", b"x", "leads out"),
        ("/etc/escaped", b"x", "leads out"),
        ("C:/escaped", b"x", "leads out"),
        (link(), b"/etc/passwd", "link"),
        ("inner.zip", b"x", "another archive"),
        ("inner", b"PK\x03\x04", "another archive"),
        ("inner", b"\x1f\x8b\x08", "another archive"),
    ],
)
def test_what_could_do_harm_is_refused(pack, scratch, tmp_path, member, content, reason):
    before = sorted(tmp_path.rglob("*"))
    path = pack([(member, content)])
    with pytest.raises(DataError, match=reason):
        read_volume(path)
    assert list(scratch.iterdir()) == []
    after = {found for found in tmp_path.rglob("*") if "series" not in found.parts} - {path, *before}
    assert after == set()


def test_an_encrypted_archive_is_refused(pack, scratch):
    path = pack()
    whole = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = whole.find(mark)
        while found >= 0:
            whole[found + place] |= 1
            found = whole.find(mark, found + 1)
    path.write_bytes(whole)
    with pytest.raises(DataError, match="encrypted"):
        read_volume(path)
    assert is_scan(path)


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [("MAX_MEMBERS", 5, "12 files"), ("MAX_BYTES", 10_000, "GiB"), ("_SMALL_BYTES", 0, "-fold")],
)
def test_bombs_are_refused_before_anything_is_unpacked(pack, scratch, monkeypatch, limit, value, reason):
    path = pack([("zeros", b"\0" * 10_000_000)] if limit == "_SMALL_BYTES" else ())
    monkeypatch.setattr(archive, limit, value)
    with pytest.raises(DataError, match=reason):
        read_volume(path)
    assert list(scratch.iterdir()) == []


def test_a_size_that_lies_is_no_way_around_the_limits(pack, scratch):
    path = pack([("zeros", b"\0" * 5_000_000)])
    whole = bytearray(path.read_bytes())
    entry = whole.rfind(b"PK\x01\x02")
    whole[entry + 24 : entry + 28] = struct.pack("<I", 100)
    path.write_bytes(whole)
    with pytest.raises(MedseganError, match="damaged"):
        read_volume(path)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello"])
def test_what_is_no_archive_is_an_error_of_one_line(tmp_path, content):
    path = tmp_path / "case.zip"
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged") as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    assert is_scan(path)  # so that a batch names it among its failures


def test_an_archive_of_other_files_is_no_scan(tmp_path):
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("readme.txt", "hello")
    assert not is_scan(path)
    with pytest.raises(InputError, match="holds no DICOM files"):
        read_volume(path)
