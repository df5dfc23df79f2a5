"""The bar of scale: 200 series in a tree of folders, ten of them broken, through the command line."""

import json
import shutil
from pathlib import Path

import pytest
from phantom_archive import BREAKAGES, Archive

from medsegan.slices import SliceStore
from medsegan_cli import main

N_CASES = 200
BROKEN = {19 * place + 7: breakage for place, breakage in enumerate(BREAKAGES)}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    made = Archive(tmp_path_factory.mktemp("archive") / "tree", tmp_path_factory.mktemp("pattern"))
    for number in range(N_CASES):
        folder = made.add(number)
        if number in BROKEN:
            BROKEN[number](folder)
    return made


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of every file."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def contents_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def prepare(archive: Archive, workspace: Path, *options: str) -> int:
    return main.run(["prepare", str(archive.root), "-C", str(workspace), "--size", "32", *options])


def test_190_of_200_are_prepared_and_not_touched_again(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(archive, tmp_path / "w", "--workers", "2") == 8
    shown = capsys.readouterr()
    assert "cases    190, 0 with labels" in shown.out
    table = shown.err.partition("failed ")[2]
    assert shown.err.rstrip().endswith("10 of 200 cases failed, the others are done; see the table above")
    store = SliceStore.open(tmp_path / "w" / "data" / "ct")
    assert len(store.manifest.cases) == 190
    for number in range(N_CASES):
        assert (str(archive.folder(number)) in table) == (number in BROKEN), number
    before = state_of(store.folder)
    assert len([name for name in before if name.endswith(".npy")]) == 190

    assert prepare(archive, tmp_path / "w", "--workers", "1", "--skip-existing", "--json") == 8
    result = json.loads(capsys.readouterr().out)
    assert (result["n_cases"], result["n_taken_over"], len(result["failures"])) == (190, 190, 10)
    reasons = {Path(image): reason for image, reason in result["failures"]}
    for number, breakage in BROKEN.items():
        assert reasons[archive.folder(number)], breakage.__name__
    expected = {"miss_slices": "--fix-gaps", "two_phases": "2 series or phases", "other_modality": "scan is mr"}
    for number, breakage in BROKEN.items():
        assert expected.get(breakage.__name__, "") in reasons[archive.folder(number)]
        assert "Error:" not in reasons[archive.folder(number)], breakage.__name__
    assert state_of(store.folder) == before
    assert [path.name for path in (tmp_path / "w" / "data").iterdir()] == ["ct"]

    # One process or two, the slices and all that is written of them are the same, bit by bit.
    shutil.copytree(tmp_path / "w" / "private", tmp_path / "w1" / "private")
    assert prepare(archive, tmp_path / "w1", "--workers", "1") == 8
    assert contents_of(tmp_path / "w1") == contents_of(tmp_path / "w")


def test_a_tree_of_broken_series_alone_ends_with_their_table(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, breakage in BROKEN.items():
        if breakage.__name__ != "other_modality":
            shutil.copytree(archive.folder(number), tmp_path / "tree" / str(number) / "series")
    options = ["-C", str(tmp_path / "w"), "--modality", "ct"]
    assert main.run(["prepare", str(tmp_path / "tree"), *options]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(f"{number}/series" in shown.err for number in BROKEN if BROKEN[number].__name__ != "other_modality")
    assert "none of 9 cases can be prepared" in shown.err
    assert main.run(["prepare", str(tmp_path / "tree"), "-C", str(tmp_path / "w")]) == 4
    assert "none of the 9 scans can be read" in capsys.readouterr().err
    assert not (tmp_path / "w").exists()
