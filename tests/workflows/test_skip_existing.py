"""Preparation that goes on from what is there: nothing is done twice, and nothing is taken for what it is not."""

import os
import shutil
from pathlib import Path

import crew_scenes
import numpy as np
import pytest
from prepare_scenes import SIZE, WriteCase, run, write_set

from medsegan.errors import InputError, NothingToDoError, UsageError
from medsegan.progress import Progress
from medsegan.slices import SliceStore
from medsegan.workflows.prepare import PrepareOptions, PrepareResult, prepare
from medsegan.workflows.workspace import Workspace


class Notes(Progress):
    """Keeps the notes that it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def note(self, text: str) -> None:
        self.heard.append(text)


@pytest.fixture
def scans(write_case: WriteCase, tmp_path: Path) -> Path:
    return write_set(write_case, tmp_path / "scans", n=5, n_labeled=4, values=(6, 200))


@pytest.fixture
def root(scans: Path, tmp_path: Path) -> Path:
    """A workspace with the scans prepared."""
    run(tmp_path / "w", scans)
    return tmp_path / "w"


def again(root: Path, scans: Path, **options: object) -> PrepareResult:
    return run(root, scans, skip_existing=True, **options)


def state_of(root: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of change of the files of cases, by the names of the scans."""
    names = {id_: source.image.name for id_, source in Workspace.open(root).private.read_domain("ct").items()}
    files = [path for kind in ("images", "labels", "records") for path in (root / "data" / "ct" / kind).iterdir()]
    return {
        f"{path.parent.name}/{names[path.stem]}": (path.stat().st_ino, path.stat().st_mtime_ns) for path in files
    }


def contents_of(root: Path) -> dict[str, bytes]:
    folder = root / "data" / "ct"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def split_of_patients(root: Path) -> dict[str, str]:
    store = SliceStore.open(root / "data" / "ct")
    sources = Workspace.open(root).private.read_domain("ct")
    return {sources[case.case_id].patient: store.split_of(case.case_id) for case in store.manifest.cases}


def test_nothing_new_is_nothing_to_do(root: Path, scans: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (root / "data" / "ct").rglob("*")}
    with pytest.raises(NothingToDoError, match=r"all 5 cases are in .*ct already .*--overwrite"):
        again(root, scans)
    assert {path: path.stat().st_mtime_ns for path in (root / "data" / "ct").rglob("*")} == before


def test_labels_of_unchanged_cases_are_not_read_again(
    root: Path, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("this file was read before")

    monkeypatch.setattr("medsegan.workflows.preparation.look.read_label", refuse)
    with pytest.raises(NothingToDoError):
        again(root, scans)


def test_new_changed_and_removed_cases(root: Path, scans: Path, write_case: WriteCase) -> None:
    before = state_of(root)
    write_case(
        scans / "images" / "mueller_9.nii.gz", scans / "labels" / "mueller_9.nii.gz", seed=9, values=(6, 200)
    )
    write_case(scans / "images" / "mueller_1.nii.gz", seed=77)
    write_case(scans / "images" / "spare.nii.gz", scans / "labels" / "mueller_2.nii.gz", seed=2, values=(200, 6))
    (scans / "images" / "spare.nii.gz").unlink()
    (scans / "images" / "mueller_3.nii.gz").unlink()
    (scans / "labels" / "mueller_3.nii.gz").unlink()
    result = again(root, scans)
    assert (result.n_cases, result.n_taken_over) == (5, 2)
    assert "1 case of the store is no longer among the scans and left out" in result.notes
    after = state_of(root)
    kept = {name for name in before if "mueller_0" in name or "mueller_4" in name}
    assert len(kept) == 5  # one of the two has labels
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert not {name for name in set(before) & set(after) - kept if before[name] == after[name]}
    assert not [name for name in after if "mueller_3" in name]
    # All is as if it had been prepared at once, but for the splits.
    shutil.copytree(root / "private", root.parent / "fresh" / "private")
    run(root.parent / "fresh", scans)
    fresh, resumed = contents_of(root.parent / "fresh"), contents_of(root)
    assert {name for name in fresh if fresh[name] != resumed[name]} <= {"splits.json", "contact_sheet.png"}
    assert set(fresh) == set(resumed)


def test_what_decides_about_the_slices_decides_whether_they_are_taken_over(root: Path, scans: Path) -> None:
    before = state_of(root)
    assert again(root, scans, window=(-100.0, 200.0)).n_taken_over == 5  # shown, not stored
    assert state_of(root) == before
    assert SliceStore.open(root / "data" / "ct").manifest.window == (-100.0, 200.0)
    assert again(root, scans, modality="ct").n_taken_over == 0
    assert again(root, scans, modality="ct", classes={"liver": 200}).n_taken_over == 0
    assert again(root, scans, modality="ct", classes={"liver": 200}, plane="coronal").n_taken_over == 0
    assert again(root, scans, modality="ct", classes={"liver": 200}, plane="coronal", size=64).n_taken_over == 0
    with pytest.raises(NothingToDoError):
        again(root, scans, modality="ct", classes={"liver": 200}, plane="coronal", size=64)


def test_patients_keep_their_splits_when_others_come(write_case: WriteCase, tmp_path: Path) -> None:
    scans = write_set(write_case, tmp_path / "scans", n=6)
    run(tmp_path / "w", scans)
    before = split_of_patients(tmp_path / "w")
    write_set(write_case, scans, n=20)
    again(tmp_path / "w", scans)
    after = split_of_patients(tmp_path / "w")
    assert {patient: after[patient] for patient in before} == before
    assert [list(after.values()).count(name) for name in ("train", "val", "test")] == [14, 2, 4]
    # Drawn anew, they would not all have stayed: this test can fail.
    run(tmp_path / "w", scans, overwrite=True)
    drawn = split_of_patients(tmp_path / "w")
    assert any(drawn[patient] != before[patient] for patient in before)
    again(tmp_path / "w", scans, seed=5)
    assert split_of_patients(tmp_path / "w") != drawn


def test_a_file_of_the_store_that_was_damaged_is_made_again(root: Path, scans: Path) -> None:
    path = next((root / "data" / "ct" / "images").iterdir())
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert again(root, scans).n_taken_over == 4
    assert path.read_bytes() == content
    path.unlink()
    assert again(root, scans).n_taken_over == 4
    (root / "data" / "ct" / "records" / f"{path.stem}.json").write_text("{")
    assert again(root, scans).n_taken_over == 4
    shutil.rmtree(root / "data" / "ct" / "records")
    assert again(root, scans).n_taken_over == 0


def test_other_scans_altogether_do_not_empty_a_store(root: Path, scans: Path, write_case: WriteCase) -> None:
    before = contents_of(root)
    write_case(root.parent / "other" / "meier.nii.gz")
    with pytest.raises(UsageError, match=r"none of the 5 cases .* is among these scans"):
        again(root, root.parent / "other")
    with pytest.raises(UsageError, match="--skip-existing does not; pass one of them"):
        again(root, scans, overwrite=True)
    assert contents_of(root) == before


def test_under_another_key_all_are_made_again(root: Path, scans: Path) -> None:
    shutil.rmtree(root / "private")
    notes = Notes()
    result = prepare(root, PrepareOptions((scans,), size=SIZE, skip_existing=True), notes)
    assert result.n_taken_over == 0
    assert any("made with another key" in note for note in notes.heard)
    with pytest.raises(NothingToDoError):
        again(root, scans)


def test_where_files_cannot_be_linked_they_are_copied(
    root: Path, scans: Path, write_case: WriteCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    before = contents_of(root)
    monkeypatch.setattr(os, "link", refuse)
    write_case(scans / "images" / "mueller_9.nii.gz", seed=9)
    assert again(root, scans).n_taken_over == 5
    after = contents_of(root)
    assert {name: after[name] for name in before if name.endswith(".npy")} == {
        name: content for name, content in before.items() if name.endswith(".npy")
    }


def test_a_full_disk_keeps_what_is_done(scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0
    save = np.save

    def fill_up(*arguments: object, **options: object) -> None:
        nonlocal written
        written += 1
        if written > 4:
            raise OSError(28, "No space left on device")
        save(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(np, "save", fill_up)
    notes = Notes()
    with pytest.raises(InputError, match=r"\.npy cannot be written: No space left on device"):
        prepare(tmp_path / "w", PrepareOptions((scans,), size=SIZE), notes)
    monkeypatch.undo()
    assert notes.heard[-1] == "2 cases are done and kept; --skip-existing goes on from them"
    left = tmp_path / "w" / "data" / f"ct.partial-{os.getpid()}"
    assert [len(list((left / kind).iterdir())) for kind in ("images", "labels", "records")] == [2, 1, 2]
    kept = {path.name: path.stat().st_ino for path in left.rglob("*.npy")}
    result = again(tmp_path / "w", scans)
    assert (result.n_cases, result.n_taken_over) == (5, 2)
    assert kept.items() <= {path.name: path.stat().st_ino for path in result.store.rglob("*.npy")}.items()
    assert [path.name for path in (tmp_path / "w" / "data").iterdir()] == ["ct"]


def test_without_being_asked_nothing_is_taken_over(scans: Path, tmp_path: Path) -> None:
    left = tmp_path / "w" / "data" / f"ct.partial-{os.getpid()}"
    (left / "images").mkdir(parents=True)
    result = run(tmp_path / "w", scans)
    assert (result.n_cases, result.n_taken_over) == (5, 0)
    assert [path.name for path in (tmp_path / "w" / "data").iterdir()] == ["ct"]


def test_a_worker_that_is_killed_fails_its_case_alone(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medsegan.workflows.preparation.make_cases.make_case", crew_scenes.make_or_die)
    result = run(tmp_path / "w", scans, workers=2, show_names=True)
    assert [
        (Path(image.partition("(")[2].rstrip(")")).name, "SIGKILL" in reason) for image, reason in result.failures
    ] == [("mueller_2.nii.gz", True)]
    assert result.n_cases == 4
    files = [path.name for path in result.store.rglob("*") if path.is_file()]
    assert not [name for name in files if name.startswith(".")]
    monkeypatch.undo()
    assert again(tmp_path / "w", scans, workers=2).n_taken_over == 4


def test_one_bad_scan_of_any_kind_does_not_end_a_batch(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("medsegan.workflows.preparation.case_work.prepare_case", refuse)
    with pytest.raises(Exception, match="none of 5 cases can be prepared; the first one: ZeroDivisionError"):
        run(tmp_path / "w", scans)
    assert not (tmp_path / "w").exists()
