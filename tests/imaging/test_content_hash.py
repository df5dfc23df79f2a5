"""Equal content, equal hash; any other content, another one; names, places and times do not count."""

import hashlib
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)
from label_scenes import oblique_grid, organs, write_scan

from medsegan.errors import InputError
from medsegan.imaging import LabelVolume, content_hash, write_label


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A CT series."""
    return write_scan(tmp_path / "series", oblique_grid())


def test_a_plain_file_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "mask.nii.gz"
    write_label(LabelVolume(organs(), oblique_grid()), path)
    assert content_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    other = shutil.copy(path, tmp_path / "another name.nii.gz")
    os.utime(other, (0, 0))
    assert content_hash(other) == content_hash(path)


def test_names_and_places_of_slices_do_not_count_but_every_byte_does(tmp_path: Path, series: Path) -> None:
    known = content_hash(series)
    moved = tmp_path / "elsewhere" / "deep"
    moved.mkdir(parents=True)
    for number, path in enumerate(reversed(sorted(series.iterdir()))):
        shutil.copyfile(path, moved / f"Smith^John {number}.dcm")
    (moved / "readme.txt").write_text("no part of the scan")
    (moved / ".hidden.dcm").write_bytes(b"\0" * 128 + b"DICM")
    (moved / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    assert content_hash(moved.parent) == content_hash(moved) == content_hash(moved / "DICOMDIR") == known
    victim = sorted(moved.glob("*.dcm"))[3]
    victim.write_bytes(victim.read_bytes()[:-1] + b"\x77")
    assert content_hash(moved) != known
    victim.unlink()
    assert content_hash(moved) != known


def test_a_slice_stands_for_its_series_and_not_for_others_beside_it(tmp_path: Path, series: Path) -> None:
    known = content_hash(series)
    other = write_scan(tmp_path / "other", oblique_grid((26, 22, 4)), seed="b")
    for path in other.iterdir():
        shutil.copyfile(path, series / f"other_{path.name}")
    first = series / "slice_0001.dcm"
    assert content_hash(first) == content_hash(series / "slice_0005.dcm") == known
    assert content_hash(series / "other_slice_0001.dcm") == content_hash(other)
    assert content_hash(series) != known
    (series / "slice_0009.dcm").unlink()
    assert content_hash(first) != known


def test_both_halves_of_a_pair_count(tmp_path: Path) -> None:
    import nibabel as nib

    nib.save(nib.Nifti1Pair(organs(), np.eye(4)), tmp_path / "a.hdr")
    known = content_hash(tmp_path / "a.hdr")
    assert content_hash(tmp_path / "a.img") == known
    voxels = bytearray((tmp_path / "a.img").read_bytes())
    voxels[100] ^= 1
    (tmp_path / "a.img").write_bytes(voxels)
    assert content_hash(tmp_path / "a.hdr") != known


@pytest.mark.parametrize(("suffix", "voxels"), [(".mhd", ".raw"), (".nhdr", ".raw")])
def test_voxels_in_a_file_of_their_own_count(tmp_path: Path, suffix: str, voxels: str) -> None:
    path = tmp_path / f"a scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(organs()), str(path))
    known = content_hash(path)
    raw = path.with_suffix(voxels)
    raw.write_bytes(raw.read_bytes()[:-1] + b"\x09")
    assert content_hash(path) != known


@pytest.mark.parametrize("naming", ["LIST\npart_0\npart_1\n", "part_%d 0 1 1\n"])
def test_voxels_in_several_files_count(tmp_path: Path, naming: str) -> None:
    path = tmp_path / "scan.mhd"
    path.write_text(f"ObjectType = Image\nNDims = 3\nElementDataFile = {naming}")
    for number in range(2):
        (tmp_path / f"part_{number}").write_bytes(b"abc")
    known = content_hash(path)
    (tmp_path / "part_1").write_bytes(b"abd")
    assert content_hash(path) != known


def test_the_names_of_classes_count(tmp_path: Path) -> None:
    grid = oblique_grid()
    for folder, names in (("first", ("liver", "spleen")), ("second", ("spleen", "liver"))):
        (tmp_path / folder).mkdir()
        for value, name in enumerate(names, start=1):
            mask = (organs() == value).astype(np.uint8)
            write_label(LabelVolume(mask, grid), tmp_path / folder / f"{name}.nii.gz")
    assert content_hash(tmp_path / "first") != content_hash(tmp_path / "second")
    shutil.copytree(tmp_path / "first", tmp_path / "third")
    assert content_hash(tmp_path / "first") == content_hash(tmp_path / "third")


def test_an_archive_is_a_file(tmp_path: Path, series: Path) -> None:
    path = tmp_path / "scan.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in series.iterdir():
            archive.write(file, file.name)
    assert content_hash(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_cannot_be_read_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.nii: cannot be read"):
        content_hash(tmp_path / "nowhere.nii")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="neither DICOM files nor label volumes"):
        content_hash(tmp_path / "empty")
