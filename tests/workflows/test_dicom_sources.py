"""Archives, indexes and gaps on the way from the command to the store."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from prepare_scenes import run

from medsegan.errors import DataError
from medsegan.geometry import Grid
from medsegan.imaging import Volume, write_series
from medsegan.slices import SliceStore
from medsegan.workflows.datasets.discover import discover
from medsegan.workflows.datasets.scan_list import list_scans
from medsegan.workflows.verify import VerifyOptions, verify
from medsegan.workflows.workspace import Workspace

GRID = Grid((32, 32, 8), np.diag([-2.0, -2.0, 5.0, 1.0]))


def write_scan(folder: Path, name: str) -> Path:
    array = np.full(GRID.shape, -1000, dtype=np.int16)
    array[8:24, 8:24] = 40
    folder.mkdir(exist_ok=True)
    write_series(Volume(array, GRID, "ct"), folder / name, seed_uid=name)
    return folder / name


def test_an_archive_is_a_case_like_its_folder(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "scans", "one")
    shutil.make_archive(str(tmp_path / "scans" / "two"), "zip", write_scan(tmp_path, "two"))
    (tmp_path / "scans" / "broken.zip").write_bytes(b"no archive")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "readme.txt").write_text("hello")
    shutil.make_archive(str(tmp_path / "scans" / "texts"), "zip", tmp_path / "texts")
    found = discover([tmp_path / "scans"])
    assert [case.stem for case in found.cases] == ["broken", "one", "two"]
    assert [entry.key for entry in list_scans(tmp_path / "scans").scans] == ["broken", "one", "two"]
    result = run(tmp_path / "work", folder.parent)
    assert result.n_cases == 2
    sources = Workspace.open(tmp_path / "work").private.read_domain("ct")
    failures = [(sources[case_id].image.name, "damaged" in reason) for case_id, reason in result.failures]
    assert failures == [("broken.zip", True)]


def test_a_dicomdir_stands_for_the_scans_beside_it(tmp_path: Path) -> None:
    write_scan(tmp_path / "disc", "one")
    (tmp_path / "disc" / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    assert [case.stem for case in discover([tmp_path / "disc" / "DICOMDIR"]).cases] == ["one"]


def test_a_gap_is_refused_and_filled_if_asked(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "scans", "one")
    (folder / "slice_0004.dcm").unlink()
    with pytest.raises(DataError, match="--fix-gaps"):
        run(tmp_path / "work", tmp_path / "scans")
    result = run(tmp_path / "work", tmp_path / "scans", fix_gaps=True)
    assert result.n_slices == 8
    notes = SliceStore.open(result.store).cases()[0].notes
    assert any("1 of them interpolated (--fix-gaps)" in note for note in notes)


def test_pictures_beside_a_series_are_told_and_listed(tmp_path: Path) -> None:
    """CHAOS: which slice a picture belongs to follows from nothing but the order of names, up or down."""
    for name in ("1", "2"):
        (tmp_path / "set" / name).mkdir(parents=True)
        write_scan(tmp_path / "set" / name, "DICOM_anon")
    ground = tmp_path / "set" / "1" / "Ground"
    ground.mkdir()
    for number in range(8):
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(ground / f"liver_GT_{number:03d}.png")
    found = discover([tmp_path / "set"])
    assert [case.label for case in found.cases] == [None, None]
    assert [path.parent.name for path in found.pictures] == ["Ground"] * 8
    assert any(note.startswith("8 pictures (PNG, TIFF) beside the scans are left out") for note in found.notes)
    result = verify(VerifyOptions((tmp_path / "set",)))
    row = next(one for one in result.findings if "pictures" in one.what)
    assert (row.severity, row.case) == ("warning", "DICOM 1")
    assert row.measured.startswith("8 PNG or TIFF files")
    shutil.rmtree(ground)
    assert discover([tmp_path / "set"]).pictures == ()
    only = tmp_path / "pictures"
    only.mkdir()
    Image.fromarray(np.eye(32, dtype=np.uint8)).save(only / "a.png")
    assert discover([only]).pictures == ()
