"""Preparation of what is not straight, and again of what was prepared before."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepare_scenes import SIZE, WriteCase, run, write_set

from medsegan.errors import DataError, UsageError
from medsegan.geometry import Grid, reorientation_to
from medsegan.imaging import LabelVolume, Volume, read_label, read_volume, write_label, write_series
from medsegan.progress import Progress
from medsegan.slices import SliceStore
from medsegan.workflows.datasets.discovery import FoundCase
from medsegan.workflows.preparation import case_work
from medsegan.workflows.preparation.case import CaseSettings, PreparedCase, prepare_case
from medsegan.workflows.prepare import PrepareOptions, prepare
from medsegan.workflows.workspace import DomainSettings, Workspace


@pytest.fixture(scope="module")
def ct_set(write_case: WriteCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(write_case, tmp_path_factory.mktemp("ct"), n=5, n_labeled=4, values=(6, 200))


def test_labels_in_another_order_of_axes_are_turned_onto_the_scan(write_case: WriteCase, tmp_path: Path) -> None:
    for name in ("as_is", "turned"):
        for n in range(2):
            write_case(tmp_path / name / f"p{n}_ct.nii.gz", tmp_path / name / f"p{n}_seg.nii.gz", seed=n)
    for path in (tmp_path / "turned").glob("*_seg.nii.gz"):
        label = read_label(path)
        turn = reorientation_to(label.grid, "SAR")
        write_label(LabelVolume(turn.apply(label.array), turn.grid(label.grid)), path)
    expected, turned = (SliceStore.open(run(tmp_path / f"w_{n}", tmp_path / n).store) for n in ("as_is", "turned"))
    for case, same in zip(expected.cases(), turned.cases(), strict=True):  # equal names, equal order
        assert np.array_equal(turned.read_labels(same.case_id), expected.read_labels(case.case_id))
    assert "labels are turned into the scan's order of axes: from SAR to LPS" in turned.cases()[0].notes


def test_split_and_window_are_kept_by_the_workspace(ct_set: Path, tmp_path: Path) -> None:
    asked = {"test_fraction": 0.5, "val_fraction": 0.25, "seed": 3, "window": (-150.0, 250.0)}
    first = run(tmp_path, ct_set, **asked)
    recorded = Workspace.open(tmp_path).domains["ct"]
    assert {name: getattr(recorded, name) for name in asked} == asked
    again = run(tmp_path, ct_set, overwrite=True)
    stores = [(SliceStore.open(result.store), result.splits) for result in (first, again)]
    assert stores[0][1] == stores[1][1] == {"train": 2, "val": 1, "test": 2}
    assert (stores[1][0].seed, again.window) == (3, (-150.0, 250.0))
    kept = "test_fraction 0.5, val_fraction 0.25, seed 3, window (-150.0, 250.0)"
    assert f"as medsegan.toml has it for this domain: {kept}" in again.notes
    fewer = run(tmp_path, ct_set, overwrite=True, test_fraction=0.25)
    assert fewer.splits == {"train": 3, "val": 1, "test": 1}
    assert Workspace.open(tmp_path).domains["ct"].test_fraction == 0.25


def test_a_domain_that_was_all_test_gets_a_validation_again(ct_set: Path, tmp_path: Path) -> None:
    assert run(tmp_path, ct_set, test_fraction=1.0).labeled_splits == {"train": 0, "val": 0, "test": 4}
    assert run(tmp_path, ct_set, overwrite=True).labeled_splits == {"train": 0, "val": 0, "test": 4}
    again = run(tmp_path, ct_set, overwrite=True, test_fraction=0.25)
    assert again.labeled_splits == {"train": 2, "val": 1, "test": 1}


def test_a_recorded_window_of_another_modality_is_not_used(ct_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, domain="d", window=(-150.0, 250.0))
    assert run(tmp_path, ct_set, domain="d", overwrite=True, modality="mr").window == (0.0, 1000.0)


def test_shares_that_do_not_fit_the_recorded_ones_are_refused(ct_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, test_fraction=0.5)
    with pytest.raises(UsageError, match=r"got 0\.6 and 0\.5; those that are not given are as medsegan\.toml"):
        run(tmp_path, ct_set, overwrite=True, val_fraction=0.6)


def test_one_of_several_series_is_chosen(write_case: WriteCase, tmp_path: Path) -> None:
    write_case(tmp_path / "scan.nii")
    scan = read_volume(tmp_path / "scan.nii")
    for number, depth in ((1, 12), (2, 10)):
        grid = Grid((*scan.grid.shape[:2], depth), scan.grid.world_from_voxel)
        part = Volume(scan.array[..., :depth], grid, "ct")
        write_series(part, tmp_path / "in" / "p1" / str(number), seed_uid=str(number))
    for file in (tmp_path / "in" / "p1").glob("*/*.dcm"):
        file.rename(tmp_path / "in" / "p1" / f"{file.parent.name}_{file.name}")
    with pytest.raises(DataError, match="--series"):
        run(tmp_path / "w", tmp_path / "in")
    assert run(tmp_path / "w", tmp_path / "in", series="1").n_slices == 12
    assert run(tmp_path / "w", tmp_path / "in", series="2", overwrite=True).n_slices == 10


def test_a_series_of_no_dicom_is_refused(ct_set: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--series 1 .* no scan here is DICOM"):
        run(tmp_path, ct_set, series="1")


def test_planes_and_size_are_kept_by_the_workspace(ct_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, plane="sagittal")
    again = prepare(tmp_path, PrepareOptions((ct_set,), overwrite=True))
    assert (again.size, again.plane) == (SIZE, "sagittal")


class Meanwhile(Progress):
    """Somebody who does something else in the workspace while the first cases are prepared."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def start(self, title: str, total: float, unit: str) -> None:
        if title.startswith("prepare "):
            self._act()


def test_another_command_in_the_same_workspace_is_heard(ct_set: Path, tmp_path: Path) -> None:
    other = DomainSettings("mr", {"liver": 1}, "elsewhere", window=(0.0, 900.0))

    def write_other(**changes: Any) -> None:
        replace(Workspace.open(tmp_path), **changes).write()

    options = PrepareOptions((ct_set,), size=SIZE)
    prepare(tmp_path, options, Meanwhile(lambda: write_other(domains={"mri": other})))
    assert sorted(Workspace.open(tmp_path).domains) == ["ct", "mri"]
    again = PrepareOptions((ct_set,), overwrite=True)
    prepare(tmp_path, again, Meanwhile(lambda: write_other(domains={"mri": replace(other, modality="ct")})))
    assert Workspace.open(tmp_path).domains["mri"].modality == "ct"
    before = SliceStore.open(tmp_path / "data" / "ct").manifest.to_json()
    with pytest.raises(DataError, match="changed while this command ran"):
        prepare(tmp_path, again, Meanwhile(lambda: write_other(labels={"kidney": 7})))
    assert SliceStore.open(tmp_path / "data" / "ct").manifest.to_json() == before
    assert Workspace.open(tmp_path).labels == {"kidney": 7}


def test_a_scan_that_changes_while_it_is_read_is_prepared_again(
    write_case: WriteCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(2):
        write_case(tmp_path / "ct" / f"p{n}_ct.nii.gz", None, seed=n)
    write_case(tmp_path / "later_ct.nii.gz", None, seed=7)

    def read_and_replace(case: FoundCase, settings: CaseSettings) -> PreparedCase:
        prepared = prepare_case(case, settings)
        if case.image.name == "p1_ct.nii.gz":
            shutil.copy(tmp_path / "later_ct.nii.gz", case.image)
        return prepared

    with monkeypatch.context() as patch:
        patch.setattr(case_work, "prepare_case", read_and_replace)
        store = SliceStore.open(run(tmp_path / "w", tmp_path / "ct", workers=1).store)
    before = {case.case_id: np.array(store.read_images(case.case_id)) for case in store.cases()}
    prepare(tmp_path / "w", PrepareOptions((tmp_path / "ct",), skip_existing=True))
    after = SliceStore.open(store.folder)
    assert sum(not np.array_equal(after.read_images(case_id), images) for case_id, images in before.items()) == 1
