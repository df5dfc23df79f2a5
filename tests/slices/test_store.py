"""Slice stores: exact, atomic, and refusing what is not as the manifest says."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from medsegan.errors import DataError, InputError, UsageError
from medsegan.geometry import Grid
from medsegan.imaging import IntensityScale
from medsegan.slices import (
    CaseRecord,
    Manifest,
    SliceStore,
    StoreWriter,
    find_leftovers,
    native_frame,
    read_case,
    write_case,
)
from medsegan.slices.leftovers import _birth

SIZE = 8


def record_of(case_id, patient_id=None, has_label=True, n_slices=3):
    affine = np.diag([0.7, 1 / 3, 2.9, 1.0])
    affine[:3, 3] = 0.1, -1e-17, 12345.678901234567
    frame = native_frame(Grid((6, 5, n_slices), affine), "axial", SIZE)
    scale = IntensityScale("percentile", 0.1 + 0.2, 1e3 / 7)
    voxels = (80, 7, 3) if has_label else None
    return CaseRecord(
        case_id, patient_id or f"p-{case_id}", n_slices, has_label, frame, scale, "mr", voxels, ("a note",)
    )


def manifest_of(*cases):
    names = ("background", "liver", "spleen")
    return Manifest("mri", "mr", "axial", SIZE, (0.0, 1000.0), names, (0, 6, 1), cases)


def images_of(seed, n_slices=3):
    return np.random.default_rng(seed).integers(-1000, 2000, (n_slices, SIZE, SIZE), dtype=np.int16)


def labels_of(seed, n_slices=3):
    return np.random.default_rng(seed).integers(0, 3, (n_slices, SIZE, SIZE), dtype=np.uint8)


def write_store(folder, overwrite=False):
    with StoreWriter(folder, overwrite) as writer:
        writer.add(record_of("aa"), images_of(1), labels_of(1))
        writer.add(record_of("bb", has_label=False), images_of(2), None)
        writer.add(record_of("cc", "p-aa"), images_of(3), labels_of(3))
        return writer.finish(manifest_of(), {"p-aa": "train", "p-bb": "test", "other": "val"}, seed=7)


def test_what_is_written_is_read(tmp_path):
    write_store(tmp_path / "data" / "mri")
    store = SliceStore.open(tmp_path / "data" / "mri")
    assert (
        store.manifest.to_json()
        == manifest_of(record_of("aa"), record_of("bb", has_label=False), record_of("cc", "p-aa")).to_json()
    )
    assert isinstance(store.read_images("aa"), np.memmap)
    assert np.array_equal(store.read_images("aa"), images_of(1))
    assert np.array_equal(store.read_labels("cc"), labels_of(3))
    assert [store.split_of(case) for case in ("aa", "bb", "cc")] == ["train", "test", "train"]
    assert [case.case_id for case in store.cases(split="train")] == ["aa", "cc"]
    assert [case.case_id for case in store.cases(labeled=False)] == ["bb"]
    assert store.cases(split="test", labeled=True) == ()
    assert store.seed == 7


def test_a_store_of_an_earlier_version_is_to_be_prepared_again(tmp_path):
    folder = write_store(tmp_path / "mri").folder
    assert not SliceStore.is_outdated(folder)
    document = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**document, "version": 1}))
    assert SliceStore.is_outdated(folder)
    with pytest.raises(DataError, match=r"version 1, .* prepare the domain again with --overwrite"):
        SliceStore.open(folder)


def test_manifest_round_trip_is_exact():
    manifest = manifest_of(record_of("aa"), record_of("bb", has_label=False))
    document = json.loads(json.dumps(manifest.to_json()))
    back = Manifest.from_json(document)
    assert back.to_json() == manifest.to_json()
    first, again = manifest.cases[0], back.cases[0]
    assert np.array_equal(first.frame.source.world_from_voxel, again.frame.source.world_from_voxel)
    assert (first.scale, first.class_voxels, first.notes) == (again.scale, again.class_voxels, again.notes)
    assert (back.class_values, back.window, back.n_classes) == ((0, 6, 1), (0.0, 1000.0), 3)


def test_labels_of_a_case_without_label_are_an_error(tmp_path):
    store = write_store(tmp_path / "mri")
    with pytest.raises(DataError, match=r"case bb .* no labels"):
        store.read_labels("bb")
    with pytest.raises(DataError, match="no case zz"):
        store.read_images("zz")


def test_labels_that_are_not_as_the_manifest_says_are_an_error(tmp_path):
    store = write_store(tmp_path / "mri")
    np.save(store.labels_path("aa"), np.full((3, SIZE, SIZE), 3, np.uint8))
    with pytest.raises(DataError, match="class 3"):
        store.read_labels("aa")
    np.save(store.labels_path("aa"), np.zeros((2, SIZE, SIZE), np.uint8))
    with pytest.raises(DataError, match=r"shape \(2, 8, 8\)"):
        store.read_labels("aa")
    np.save(store.images_path("aa"), np.zeros((3, SIZE, SIZE), np.float32))
    with pytest.raises(DataError, match="float32"):
        store.read_images("aa")
    store.images_path("aa").write_bytes(b"\x93NUMPY cut off")
    with pytest.raises(DataError, match="damaged"):
        store.read_images("aa")
    store.images_path("aa").unlink()
    with pytest.raises(InputError, match="missing"):
        store.read_images("aa")


@pytest.mark.parametrize("when", ["add", "finish", "unfinished"])
def test_a_failure_leaves_nothing_behind(tmp_path, when):
    folder = tmp_path / "data" / "mri"

    def write():
        with StoreWriter(folder) as writer:
            writer.add(record_of("aa"), images_of(1), labels_of(1))
            if when == "add":
                raise RuntimeError("the disk is full")
            if when == "finish":
                writer.finish(manifest_of(), {}, seed=0)

    if when == "unfinished":
        write()
    else:
        with pytest.raises((RuntimeError, DataError)):
            write()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_there_is_kept_unless_it_is_to_be_replaced(tmp_path):
    folder = tmp_path / "mri"
    write_store(folder)
    (folder / "mark").touch()
    with pytest.raises(UsageError, match="--overwrite"):
        write_store(folder)
    with pytest.raises(RuntimeError), StoreWriter(folder, overwrite=True):
        raise RuntimeError("interrupted")
    assert (folder / "mark").exists()
    write_store(folder, overwrite=True)
    assert not (folder / "mark").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["mri"]


def test_a_store_that_came_there_meanwhile_is_kept(tmp_path):
    with StoreWriter(tmp_path / "mri") as writer:
        writer.add(record_of("dd"), images_of(4), labels_of(4))
        write_store(tmp_path / "other").folder.rename(tmp_path / "mri")
        with pytest.raises(UsageError, match="exists already"):
            writer.finish(manifest_of(), {"p-dd": "train"}, seed=7)
    assert len(SliceStore.open(tmp_path / "mri").cases()) == 3


def test_a_case_that_fails_does_not_spoil_the_others(tmp_path):
    with StoreWriter(tmp_path / "mri") as writer:
        writer.add(record_of("aa"), images_of(1), labels_of(1))
        for arrays in (
            (images_of(2).astype(np.float32), labels_of(2)),
            (images_of(2), None),
            (images_of(2), labels_of(2)[:, :, 1:]),
            (images_of(2, n_slices=2), labels_of(2)),
        ):
            with pytest.raises(DataError, match="case bb"):
                writer.add(record_of("bb"), *arrays)
        with pytest.raises(DataError, match="added already"):
            writer.add(record_of("aa"), images_of(1), labels_of(1))
        store = writer.finish(manifest_of(), {"p-aa": "val"}, seed=0)
    assert [case.case_id for case in store.manifest.cases] == ["aa"]
    assert sorted(path.name for path in store.folder.rglob("*.npy")) == ["aa.npy", "aa.npy"]


def test_folders_made_for_a_store_that_fails_are_removed(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(RuntimeError, match="stop"), StoreWriter(tmp_path / "there" / "w" / "data" / "mri"):
        raise RuntimeError("stop")
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_what_cannot_be_written_is_an_input_error_with_its_path(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    impossible = tmp_path / "file" / "data" / "mri"
    with pytest.raises(InputError, match=r"file.data.mri\.partial"), StoreWriter(impossible):
        pass

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with StoreWriter(tmp_path / "mri") as writer:
        monkeypatch.setattr(np, "save", full)
        with pytest.raises(InputError, match=r"aa\.npy .*No space left"):
            writer.add(record_of("aa"), images_of(1), labels_of(1))
        monkeypatch.undo()
        writer.add(record_of("aa"), images_of(1), labels_of(1))
        monkeypatch.setattr("medsegan.slices.writer.write_document", full)
        with pytest.raises(InputError, match=r"mri cannot be written: No space"):
            writer.finish(manifest_of(), {"p-aa": "val"}, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_leftovers_of_dead_processes_are_swept_and_of_living_ones_kept(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = [f"mri.partial-{dead.pid}", f"mri.old-{dead.pid}"]
    kept = [f"mri.partial-{os.getppid()}", f"mri2.partial-{dead.pid}", "mri.old-mine"]
    for name in (*names, *kept):
        (tmp_path / name / "images").mkdir(parents=True)
    with pytest.raises(DataError, match="no case"), StoreWriter(tmp_path / "mri") as writer:
        writer.finish(manifest_of(), {}, seed=0)
    # An .old- folder may be the only store there is, until there is a new one.
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([names[1], *kept])
    write_store(tmp_path / "mri")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["mri", *kept])


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc when a process began")
def test_a_leftover_of_a_process_whose_number_is_used_again_is_one(tmp_path):
    parent = os.getppid()
    for name, owner in ((f"mri.partial-{parent}", "1"), (f"ct.partial-{parent}", None)):
        (tmp_path / name).mkdir()
        if owner is not None:
            (tmp_path / name / ".owner").write_text(owner)
    assert find_leftovers(tmp_path / "mri", "partial") == [tmp_path / f"mri.partial-{parent}"]
    assert find_leftovers(tmp_path / "ct", "partial") == []
    with StoreWriter(tmp_path / "pet") as writer:
        born = (writer.place / ".owner").read_text()
        assert born.isdecimal()
        assert find_leftovers(tmp_path / "pet", "partial") == [writer.place]
    # The same number, but not the same process.
    (tmp_path / f"mri.partial-{parent}" / ".owner").write_text(_birth(parent))
    assert find_leftovers(tmp_path / "mri", "partial") == []


def test_cases_that_are_done_are_taken_by_a_later_attempt(tmp_path):
    folder = tmp_path / "mri"

    def be_interrupted(writer):
        writer.add(record_of("aa"), images_of(1), labels_of(1))
        write_case(writer.place, record_of("bb", has_label=False), images_of(2), None, {"scan": "x"})
        (writer.place / "images" / ".cc.npy.unfinished").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), StoreWriter(folder, keep=True) as writer:
        be_interrupted(writer)
    assert not list((writer.place / "images").glob(".*"))
    os.replace(writer.place, tmp_path / "left")
    assert read_case(tmp_path / "left", "cc") is None
    taken = [read_case(tmp_path / "left", name) for name in ("aa", "bb")]
    assert [case.is_intact for case in taken] == [True, True]
    assert taken[1].origin == {"scan": "x"}
    with StoreWriter(folder, taken=taken) as writer:
        writer.include("bb")
        with pytest.raises(DataError, match="added already"):
            writer.include("bb")
        with pytest.raises(DataError, match="case cc are not in"):
            writer.include("cc")
        store = writer.finish(manifest_of(), {"p-bb": "val"}, seed=0)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert names == ["images/bb.npy", "manifest.json", "records/bb.json", "splits.json"]  # aa was not included
    assert store.images_path("bb").samefile(tmp_path / "left" / "images" / "bb.npy")


def test_a_store_that_would_be_the_same_is_known(tmp_path):
    folder = tmp_path / "mri"
    write_store(folder)
    taken = [read_case(folder, name) for name in ("aa", "bb", "cc")]
    splits = {"p-aa": "train", "p-bb": "test", "other": "val"}
    with StoreWriter(folder, overwrite=True, taken=taken) as writer:
        for name in ("aa", "bb"):
            writer.include(name)
        assert not writer.is_as_before(manifest_of(), splits, 7)
        writer.include("cc")
        assert writer.is_as_before(manifest_of(), splits, 7)
        assert not writer.is_as_before(manifest_of(), splits, 8)
        assert not writer.is_as_before(manifest_of(), {**splits, "p-bb": "train"}, 7)
        assert not writer.is_as_before(replace(manifest_of(), window=(0.0, 1.0)), splits, 7)
    with StoreWriter(folder, overwrite=True, taken=taken[:2]) as writer:
        writer.add(record_of("cc", "p-aa"), images_of(9), labels_of(3))
        for name in ("aa", "bb"):
            writer.include(name)
        assert not writer.is_as_before(manifest_of(), splits, 7)  # cc is new, whatever its record says
    assert SliceStore.open(folder).manifest.to_json()["cases"] != []


def test_files_of_a_case_that_are_not_what_was_written_are_seen(tmp_path):
    write_store(tmp_path / "mri")
    path = tmp_path / "mri" / "labels" / "aa.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    assert not read_case(tmp_path / "mri", "aa").is_intact
    path.unlink()
    assert read_case(tmp_path / "mri", "aa") is None
    record = tmp_path / "mri" / "records" / "bb.json"
    for text in ("", "{", "[]", '{"version": 1}', '{"version": 1, "record": 3, "origin": 3, "digests": 3}'):
        record.write_text(text)
        assert read_case(tmp_path / "mri", "bb") is None


def test_an_empty_or_mixed_store_is_refused(tmp_path):
    with pytest.raises(DataError, match="no case"), StoreWriter(tmp_path / "mri") as writer:
        writer.finish(manifest_of(), {}, seed=0)
    other_size = Manifest("d", "mr", "axial", 16, (0, 1), ("background",), (0,))
    with StoreWriter(tmp_path / "mri") as writer:
        writer.add(record_of("aa"), images_of(1), labels_of(1))
        with pytest.raises(DataError, match="size 16"):
            writer.finish(other_size, {"p-aa": "val"}, seed=0)


def test_no_store_and_damaged_documents(tmp_path):
    with pytest.raises(InputError, match="medsegan prepare"):
        SliceStore.open(tmp_path)
    folder = write_store(tmp_path / "mri").folder
    for name, change, message in (
        ("manifest.json", {"version": 9}, "version 9"),
        ("manifest.json", {"modality": "pet"}, "pet"),
        ("manifest.json", {"cases": [{"case_id": "aa"}]}, "damaged"),
        ("splits.json", {"patients": {}}, "no split for patient"),
        ("splits.json", {"version": 3}, "version 3"),
    ):
        original = (folder / name).read_text()
        (folder / name).write_text(json.dumps({**json.loads(original), **change}))
        with pytest.raises(DataError, match=message):
            SliceStore.open(folder)
        (folder / name).write_text(original)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="no valid JSON"):
        SliceStore.open(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"class_names": ("background", "liver", "liver")}, "of its own"),
        ({"class_values": (0, 6, 6)}, "of its own"),
        ({"class_names": ("liver", "background", "spleen")}, "first class"),
        ({"class_values": (1, 6, 2)}, "first class"),
        ({"window": (10.0, 10.0)}, "window"),
        ({"cases": (record_of("aa"), record_of("aa"))}, "same id"),
    ],
)
def test_manifests_that_contradict_themselves_are_refused(change, message):
    good = {
        "domain": "mri",
        "modality": "mr",
        "plane": "axial",
        "size": SIZE,
        "window": (0.0, 1.0),
        "class_names": ("background", "liver", "spleen"),
        "class_values": (0, 6, 1),
        "cases": (),
    }
    with pytest.raises(DataError, match=message):
        Manifest(**{**good, **change})


@pytest.mark.parametrize("case_id", ["../../etc/passwd", "", "a b", "a/b"])
def test_ids_that_could_leave_the_store_are_refused(case_id):
    with pytest.raises(DataError, match="case id"):
        record_of(case_id, "p")
