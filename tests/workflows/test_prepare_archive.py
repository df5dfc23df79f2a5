"""The bar of scale: 200 series in a tree of folders, ten of them broken, through the command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import crew_scenes
import pytest
from phantom_archive import BREAKAGES, Archive

from medsegan.slices import SliceStore
from medsegan.workflows.prepare import PrepareOptions
from medsegan.workflows.prepare import prepare as prepare_tree
from medsegan.workflows.privacy.private_folder import PrivateFolder
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


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A tree of 32 series, one of them broken."""
    made = Archive(tmp_path_factory.mktemp("few") / "tree", tmp_path_factory.mktemp("pattern"))
    for number in range(32):
        made.add(number)
    BREAKAGES[0](made.folder(3))
    return made


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of every file."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in stats.items()}


def ids_of(workspace: Path) -> dict[Path, str]:
    """Scan -> id of its case."""
    return {source.image: id_ for id_, source in PrivateFolder(workspace / "private").read_domain("ct").items()}


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
    table = shown.err.partition("\nfailed ")[2]
    assert shown.err.rstrip().endswith("10 of 200 cases failed, the others are done; see the table above")
    store = SliceStore.open(tmp_path / "w" / "data" / "ct")
    assert len(store.manifest.cases) == 190
    ids = ids_of(tmp_path / "w")
    for number in range(N_CASES):
        assert (ids[archive.folder(number)] in table) == (number in BROKEN), number
    before = state_of(store.folder)
    assert len([name for name in before if name.endswith(".npy")]) == 190

    assert prepare(archive, tmp_path / "w", "--workers", "1", "--skip-existing", "--json") == 8
    result = json.loads(capsys.readouterr().out)
    assert (result["n_cases"], result["n_taken_over"], len(result["failures"])) == (190, 190, 10)
    reasons = dict(result["failures"])
    expected = {"miss_slices": "--fix-gaps", "two_phases": "2 series or phases", "other_modality": "scan is mr"}
    for number, breakage in BROKEN.items():
        reason = reasons[ids[archive.folder(number)]]
        assert expected.get(breakage.__name__, "") in reason
        assert reason, breakage.__name__
        assert "Error:" not in reason, breakage.__name__
    assert state_of(store.folder) == before
    assert [path.name for path in (tmp_path / "w" / "data").iterdir()] == ["ct"]


def test_one_process_or_two_write_the_same_bit_by_bit(few: Archive, tmp_path: Path) -> None:
    for workers in ("2", "1"):
        if workers == "1":  # ids go by the key of the workspace
            shutil.copytree(tmp_path / "2" / "private", tmp_path / "1" / "private")
        assert prepare(few, tmp_path / workers, "--workers", workers) == 8
    contents = contents_of(tmp_path / "1")
    assert contents == contents_of(tmp_path / "2")
    assert len([name for name in contents if name.endswith(".npy")]) == 31


def test_a_tree_of_broken_series_alone_ends_with_their_table(
    archive: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, breakage in BROKEN.items():
        if breakage.__name__ != "other_modality":
            shutil.copytree(archive.folder(number), tmp_path / "tree" / str(number) / "series")
    options = ["-C", str(tmp_path / "w"), "--modality", "ct"]
    assert main.run(["-v", "prepare", str(tmp_path / "tree"), *options]) == 4
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(f"{number}/series" in shown.err for number in BROKEN if BROKEN[number].__name__ != "other_modality")
    assert "none of 9 cases can be prepared" in shown.err
    assert main.run(["prepare", str(tmp_path / "tree"), "-C", str(tmp_path / "w")]) == 4
    shown = capsys.readouterr()
    assert "none of 9 cases can be prepared" in shown.err
    assert len(re.findall(r"^[0-9a-f]{10} ", shown.err, flags=re.MULTILINE)) == 9
    assert "/series" not in shown.err
    assert not (tmp_path / "w").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_cut_short_is_gone_on_with(few: Archive, tmp_path: Path, how: signal.Signals) -> None:
    tree, workspace = str(few.root), tmp_path / "w"
    command = [sys.executable, "-m", "medsegan", "prepare", tree, "-C", str(workspace), "--size", "32"]
    program = subprocess.Popen([*command, "--workers", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    partial = workspace / "data" / f"ct.partial-{program.pid}"
    assert crew_scenes.wait_until(lambda: len(list((partial / "records").glob("*.json"))) >= 5)
    processes = [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if is_child(pid, program.pid)]
    began = time.monotonic()
    program.send_signal(how)
    _, stderr = program.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert len(processes) == 2
    assert crew_scenes.wait_until(lambda: not any(map(crew_scenes.is_running, processes)))
    if how == signal.SIGINT:
        assert program.returncode == 130
        assert b"interrupted" in stderr
        assert b"cases are done and kept; --skip-existing goes on from them" in stderr
        assert not list(partial.rglob(".*.unfinished"))
    assert not (workspace / "data" / "ct").exists()
    kept = {path.name: path.stat().st_ino for path in (partial / "records").glob("[!.]*.json")}
    assert 5 <= len(kept) < 31

    result = prepare_tree(workspace, PrepareOptions((Path(tree),), size=32, skip_existing=True))
    assert (result.n_taken_over, result.n_cases) == (len(kept), 31)
    assert kept.items() <= {path.name: path.stat().st_ino for path in (result.store / "records").iterdir()}.items()
    assert [path.name for path in (workspace / "data").iterdir()] == ["ct"]


def is_child(process: int, parent: int) -> bool:
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]) == parent
    except (OSError, ValueError):
        return False
