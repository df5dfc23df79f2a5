"""Ids that lead nowhere, and the folder that leads back."""

import json
import os
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
from prepare_scenes import WriteCase, run, write_set

from medsegan.errors import DataError, InputError
from medsegan.slices import IdKey, SliceStore, draw_labeled
from medsegan.workflows.privacy.private_folder import CaseSource, PrivateFolder
from medsegan.workflows.workspace import Workspace


@pytest.fixture(scope="module")
def ct_set(write_case: WriteCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(write_case, tmp_path_factory.mktemp("ct"), n=8)


def numbers(root: Path, ids: tuple[str, ...], domain: str = "ct") -> list[str]:
    """What the cases are called outside."""
    sources = Workspace.open(root).private.read_domain(domain)
    return [sources[case_id].image.name for case_id in ids]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    private = PrivateFolder(tmp_path / "w" / "private")
    assert private.read_key() is None
    key = IdKey.fresh()
    private.keep_key(key)
    private.keep_key(key)
    assert private.read_key() == key
    with pytest.raises(DataError, match="run this one again"):
        private.keep_key(IdKey.fresh())
    sources = {
        "aa": CaseSource(tmp_path / "Müller.nii", tmp_path / "seg.nii", "Müller"),
        "bb": CaseSource(tmp_path / "dicom", None, "m", series="2", fix_gaps=True, resample_labels=True),
    }
    private.write_domain("ct", sources)
    assert private.read_domain("ct") == sources
    private.add_to_domain("ct", {"cc": sources["aa"]})
    assert list(private.read_domain("ct")) == ["aa", "bb", "cc"]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such bits")
def test_only_the_owner_can_read_it_and_git_does_not_see_it(tmp_path: Path) -> None:
    private = PrivateFolder(tmp_path / "private")
    private.keep_key(IdKey.fresh())
    private.write_domain("ct", {})
    assert (private.path / ".gitignore").read_text() == "*\n"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (private.path, *private.path.rglob("*"))}
    assert {modes[private.path], modes[private.path / "domains"]} == {0o700}
    assert {modes[private.path / "key.json"], modes[private.path / "domains" / "ct.json"]} == {0o600}


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 1, "secret": "xy"}', '{"version": 9}'])
def test_a_damaged_folder_is_said_to_be(tmp_path: Path, text: str) -> None:
    private = PrivateFolder(tmp_path)
    private.write_domain("ct", {})
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(DataError, match=r"key\.json"):
        private.read_key()
    (tmp_path / "domains" / "ct.json").write_text(text)
    with pytest.raises(DataError, match=r"ct\.json"):
        private.read_domain("ct")


def test_ids_differ_between_workspaces_and_draws_do_not(ct_set: Path, tmp_path: Path) -> None:
    """Another key gives other ids, but the same split, the same order, the same labelled patients."""
    found = []
    for name in ("one", "two"):
        store = SliceStore.open(run(tmp_path / name, ct_set, seed=5).store)
        ids = [case.case_id for case in store.cases()]
        patient_of = {case.patient_id: case.case_id for case in store.cases()}
        splits = [numbers(tmp_path / name, tuple(c.case_id for c in store.cases(s))) for s in ("test", "val")]
        train = tuple(case.patient_id for case in store.cases("train", labeled=True))
        draws = [
            numbers(tmp_path / name, tuple(patient_of[patient] for patient in draw_labeled(train, 3, seed)))
            for seed in range(4)
        ]
        arrays = [np.array(store.read_images(case_id)) for case_id in ids]
        found.append((ids, numbers(tmp_path / name, tuple(ids)), splits, draws, arrays))
    one, two = found
    assert not set(one[0]) & set(two[0])
    assert one[1:4] == two[1:4]
    assert one[1] != sorted(one[1])
    assert all(np.array_equal(first, second) for first, second in zip(one[4], two[4], strict=True))


def test_a_patient_is_the_same_in_all_domains(ct_set: Path, tmp_path: Path) -> None:
    stores = [SliceStore.open(run(tmp_path, ct_set, domain=name).store) for name in ("ct", "again")]
    patients = [[case.patient_id for case in store.cases()] for store in stores]
    cases = [{case.case_id for case in store.cases()} for store in stores]
    assert patients[0] == patients[1]
    assert not cases[0] & cases[1]


def test_slices_alone_lead_to_no_name_and_can_be_trained_on(ct_set: Path, tmp_path: Path) -> None:
    run(tmp_path / "a", ct_set)
    for name in ("medsegan.toml", "data"):
        copy = shutil.copytree if (tmp_path / "a" / name).is_dir() else shutil.copy
        (tmp_path / "b").mkdir(exist_ok=True)
        copy(tmp_path / "a" / name, tmp_path / "b" / name)
    for path in (tmp_path / "b").rglob("*"):
        assert "mueller" not in str(path.relative_to(tmp_path))
        assert path.is_dir() or b"mueller" not in path.read_bytes()
    assert len(SliceStore.open(tmp_path / "b" / "data" / "ct").cases()) == 8
    with pytest.raises(InputError, match=r"ct\.json is not here.* copy the folder private"):
        Workspace.open(tmp_path / "b").private.read_domain("ct")
    # A second domain there would get ids of another key: patients of both could not be recognised.
    with pytest.raises(DataError, match="another key"):
        run(tmp_path / "b", ct_set, domain="second")
    assert run(tmp_path / "b", ct_set, overwrite=True).n_cases == 8
    assert run(tmp_path / "b", ct_set, domain="second").n_cases == 8


def test_stores_of_an_earlier_version_can_be_prepared_again_one_by_one(ct_set: Path, tmp_path: Path) -> None:
    for name in ("ct", "second"):
        path = run(tmp_path, ct_set, domain=name).store / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "version": 1}))
    for name in ("ct", "second"):
        assert run(tmp_path, ct_set, domain=name, overwrite=True).n_cases == 8


def test_a_dry_run_writes_no_key(ct_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, dry_run=True)
    assert list(tmp_path.iterdir()) == []


def test_what_was_asked_for_is_kept_per_case(ct_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, fix_gaps=True, resample_labels=True)
    sources = Workspace.open(tmp_path).private.read_domain("ct")
    assert {(s.fix_gaps, s.resample_labels, s.series) for s in sources.values()} == {(True, True, None)}
