"""Preparation from files to a store: what is chosen, recorded, refused, and never half-written."""

import json
from pathlib import Path

import numpy as np
import pytest
from prepare_scenes import SIZE, WriteCase, files_below, run, write_set

from medsegan.errors import DataError, InputError, MedseganError, UsageError
from medsegan.imaging import read_volume
from medsegan.progress import Progress
from medsegan.slices import SliceStore, assemble_labels
from medsegan.workflows.prepare import PrepareOptions, PrepareResult, prepare
from medsegan.workflows.workspace import Workspace


class Listener(Progress):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.stages: list[tuple[str, float, str]] = []

    def start(self, title: str, total: float, unit: str) -> None:
        self.stages.append((title, total, unit))

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def ct_set(write_case: WriteCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(write_case, tmp_path_factory.mktemp("ct"), n=5, n_labeled=4, values=(6, 200))


@pytest.fixture(scope="module")
def mr_set(write_case: WriteCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(write_case, tmp_path_factory.mktemp("mr"), n=3, appearance="mr", values=(1, 4))


@pytest.fixture(scope="module")
def prepared(ct_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PrepareResult]:
    root = tmp_path_factory.mktemp("workspace") / "new"
    return root, run(root, ct_set, classes={"liver": 6, "kidney": 200})


def test_first_preparation_makes_workspace_store_and_picture(prepared: tuple[Path, PrepareResult]) -> None:
    root, result = prepared
    workspace = Workspace.find(root)
    assert workspace.labels == {"liver": 6, "kidney": 200}
    assert workspace.domains["ct"].values == {"liver": 6, "kidney": 200}
    assert (result.domain, result.modality, result.n_cases, result.n_labeled) == ("ct", "ct", 5, 4)
    assert result.n_slices == 5 * 12
    assert result.failures == ()
    assert result.contact_sheet == root / "data" / "ct" / "contact_sheet.png"
    assert result.contact_sheet.read_bytes()[:4] == b"\x89PNG"
    assert files_below(root)[:2] == ["data", "data/ct"]
    assert not [name for name in files_below(root) if "partial" in name or "old" in name]


def test_labels_hold_class_indices_in_the_order_of_the_workspace(prepared: tuple[Path, PrepareResult]) -> None:
    store = SliceStore.open(prepared[1].store)
    assert store.manifest.class_names == ("background", "liver", "kidney")
    assert store.manifest.class_values == (0, 6, 200)
    for case in store.cases(labeled=True):
        labels = store.read_labels(case.case_id)
        assert set(np.unique(labels)) == {0, 1, 2}
        columns = [np.nonzero(labels == index)[2].mean() for index in (1, 2)]
        # The liver is on the patient's right, which is at the left of the picture.
        assert columns[0] < SIZE / 2 < columns[1]


def test_hounsfield_units_are_kept(prepared: tuple[Path, PrepareResult]) -> None:
    store = SliceStore.open(prepared[1].store)
    case = store.cases(labeled=True)[0]
    images, labels = store.read_images(case.case_id), store.read_labels(case.case_id)
    assert images.dtype == np.int16
    assert np.median(images[labels == 1]) == pytest.approx(90, abs=5)
    assert np.median(images[labels == 2]) == pytest.approx(180, abs=12)
    assert store.manifest.window == (-125.0, 275.0)


def test_the_store_can_be_undone_onto_the_scan(prepared: tuple[Path, PrepareResult]) -> None:
    store = SliceStore.open(prepared[1].store)
    case = store.cases(labeled=True)[0]
    one_hot = np.eye(3, dtype=np.float32)[store.read_labels(case.case_id)].transpose(0, 3, 1, 2)
    back = assemble_labels(np.ascontiguousarray(one_hot), case.frame)
    source = Workspace.open(prepared[0]).private.read_domain("ct")[case.case_id]
    assert source.label is not None
    truth = read_volume(source.label).array
    assert back.shape == read_volume(source.image).array.shape
    overlap = 2 * np.sum((back == 1) & (truth == 6)) / (np.sum(back == 1) + np.sum(truth == 6))
    assert overlap > 0.9


def test_class_summary_is_in_millilitres_of_the_scans(prepared: tuple[Path, PrepareResult]) -> None:
    liver, kidney = prepared[1].classes
    assert (liver.name, liver.index, liver.value, liver.domain_value, liver.n_cases) == ("liver", 1, 6, 6, 4)
    # Ellipsoids of 6 x 7 x 5 and 3.4 x 3.4 x 4 voxels with 20 cubic millimetres each.
    assert liver.volume_ml == pytest.approx(4 / 3 * np.pi * 6 * 7 * 5 * 0.02, rel=0.05)
    assert kidney.volume_ml == pytest.approx(4 / 3 * np.pi * 3.4 * 3.4 * 4 * 0.02, rel=0.1)


def test_unlabelled_cases_only_train_and_names_stay_private(
    prepared: tuple[Path, PrepareResult],
) -> None:
    root, result = prepared
    store = SliceStore.open(result.store)
    assert [store.split_of(case.case_id) for case in store.cases(labeled=False)] == ["train"]
    assert sum(result.splits.values()) == 5
    assert result.labeled_splits["test"] >= 1
    texts = {path: path.read_text() for path in root.rglob("*") if path.suffix in {".json", ".toml"}}
    assert [path for path in texts if "mueller" in texts[path]] == [root / "private" / "domains" / "ct.json"]
    assert json.loads(json.dumps(result.to_json()))["store"] == str(result.store)


def test_preparing_again_needs_overwrite_and_gives_the_same(ct_set: Path, tmp_path: Path) -> None:
    first = run(tmp_path, ct_set)
    manifest = (first.store / "manifest.json").read_bytes()
    with pytest.raises(UsageError, match="exists already; --overwrite replaces it"):
        run(tmp_path, ct_set)
    second = run(tmp_path, ct_set, overwrite=True)
    assert (second.store / "manifest.json").read_bytes() == manifest
    assert second.splits == first.splits


def test_without_classes_the_values_are_proposed_and_can_be_renamed(ct_set: Path, tmp_path: Path) -> None:
    result = run(tmp_path, ct_set)
    assert [summary.name for summary in result.classes] == ["label_6", "label_200"]
    assert any("--classes name1=6,name2=200" in note for note in result.notes)
    file = tmp_path / "medsegan.toml"
    file.write_text(file.read_text().replace("label_6 = 6", "liver = 6", 1))
    again = run(tmp_path, ct_set, overwrite=True)
    assert [(summary.name, summary.domain_value) for summary in again.classes] == [
        ("liver", 6),
        ("label_200", 200),
    ]


def test_edited_output_values_do_not_change_what_is_read(ct_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, classes={"liver": 6, "kidney": 200})
    file = tmp_path / "medsegan.toml"
    file.write_text(file.read_text().replace("kidney = 200", "kidney = 2", 1))
    for options in ({}, {"classes": {"liver": 6, "kidney": 200}}):
        result = run(tmp_path, ct_set, overwrite=True, **options)
        assert [(summary.value, summary.domain_value) for summary in result.classes] == [(6, 6), (2, 200)]
        assert result.classes[1].n_cases == 4


def test_other_values_are_merged_into_background_and_counted(ct_set: Path, tmp_path: Path) -> None:
    result = run(tmp_path, ct_set, classes={"liver": 6})
    assert any(note.startswith("label values merged into background: 200 (") for note in result.notes)
    store = SliceStore.open(result.store)
    case = store.cases(labeled=True)[0]
    assert set(np.unique(store.read_labels(case.case_id))) == {0, 1}
    assert any("200 (" in note for note in case.notes)


def test_a_second_domain_is_mapped_by_name(ct_set: Path, mr_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, classes={"liver": 6, "kidney": 200})
    result = run(tmp_path, mr_set, classes={"kidney": 4, "liver": 1}, test_fraction=1.0)
    manifest = SliceStore.open(result.store).manifest
    assert (result.domain, result.modality) == ("mri", "mr")
    assert manifest.class_names == ("background", "liver", "kidney")
    assert manifest.class_values == (0, 1, 4)
    assert result.splits == {"train": 0, "val": 0, "test": 3}
    assert Workspace.open(tmp_path).labels == {"liver": 6, "kidney": 200}
    assert Workspace.open(tmp_path).domains["mri"].values == {"kidney": 4, "liver": 1}
    again = run(tmp_path, mr_set, overwrite=True)
    assert [summary.domain_value for summary in again.classes] == [1, 4]


def test_a_second_domain_with_a_part_of_the_classes(ct_set: Path, mr_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, classes={"liver": 6, "kidney": 200})
    result = run(tmp_path, mr_set, classes={"kidney": 4})
    assert [summary.domain_value for summary in result.classes] == [None, 4]
    assert SliceStore.open(result.store).manifest.class_values[1] < 0
    assert any("not annotated in this domain: liver" in note for note in result.notes)


def test_a_second_domain_that_says_nothing_is_refused(ct_set: Path, mr_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, classes={"liver": 6, "kidney": 200})
    before = files_below(tmp_path)
    with pytest.raises(DataError, match=r"hold the values 1, 4.*pass --classes liver=VALUE,kidney=VALUE"):
        run(tmp_path, mr_set)
    with pytest.raises(
        DataError, match="--classes names spleen, but the classes of this workspace are liver, kidney"
    ):
        run(tmp_path, mr_set, classes={"spleen": 4})
    with pytest.raises(UsageError, match="this workspace holds ct at size 32"):
        run(tmp_path, mr_set, classes={"liver": 1}, size=64)
    assert files_below(tmp_path) == before


def test_equal_values_are_taken_for_equal_classes_and_said(
    write_case: WriteCase, ct_set: Path, tmp_path: Path
) -> None:
    run(tmp_path / "w", ct_set, classes={"liver": 6, "kidney": 200})
    other = write_set(write_case, tmp_path / "mr", n=2, appearance="mr", values=(6, 200))
    result = run(tmp_path / "w", other)
    assert any("exactly the values of [labels]" in note for note in result.notes)
    assert SliceStore.open(result.store).manifest.class_values == (0, 6, 200)


def test_names_of_a_dataset_json_name_and_map_the_classes(write_case: WriteCase, tmp_path: Path) -> None:
    for name, appearance, values, names in (
        ("a", "ct", (1, 2), {"background": 0, "liver": 1, "kidney": 2}),
        ("b", "mr", (7, 3), {"background": 0, "kidney": 3, "liver": 7}),
    ):
        for n in range(2):
            image = tmp_path / name / "imagesTr" / f"{name}_{n}_0000.nii.gz"
            write_case(image, tmp_path / name / "labelsTr" / f"{name}_{n}.nii.gz", appearance, n, values)
        document = {"channel_names": {"0": "x"}, "labels": names}
        (tmp_path / name / "dataset.json").write_text(json.dumps(document))
    first = run(tmp_path / "w", tmp_path / "a")
    second = run(tmp_path / "w", tmp_path / "b")
    assert [summary.name for summary in first.classes] == ["liver", "kidney"]
    assert [summary.domain_value for summary in second.classes] == [7, 3]
    assert any("mapped by the names in dataset.json" in note for note in second.notes)


def test_a_changed_label_table_is_not_mixed_with_old_stores(ct_set: Path, mr_set: Path, tmp_path: Path) -> None:
    run(tmp_path, ct_set, classes={"liver": 6, "kidney": 200})
    file = tmp_path / "medsegan.toml"
    file.write_text(file.read_text().replace("liver = 6\nkidney = 200", "kidney = 200\nliver = 6", 1))
    with pytest.raises(DataError, match="domain ct was prepared with the classes liver, kidney"):
        run(tmp_path, mr_set, classes={"liver": 1, "kidney": 4})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"classes": {"liver": 5}},
            DataError,
            "liver=5: no label file holds this value; the values found are 6, 200",
        ),
        ({"classes": {"liver": 6, "kidney": 6}}, DataError, "gives one value to two names"),
        ({"classes": {"background": 6}}, DataError, "cannot name a label"),
        ({"classes": {}}, DataError, "names no class"),
        ({"size": 48}, UsageError, "power of two"),
        ({"size": 16}, UsageError, "power of two"),
        ({"domain": "../ct"}, UsageError, "a domain is named"),
        ({"modality": "pet"}, UsageError, "--modality must be"),
        ({"plane": "oblique"}, UsageError, "--plane must be"),
        ({"window": (10.0, 10.0)}, UsageError, "--window must run"),
        ({"val_fraction": 0.6, "test_fraction": 0.6}, UsageError, "shares of validation and test"),
    ],
)
def test_what_makes_no_sense_leaves_nothing(
    ct_set: Path, tmp_path: Path, options: dict[str, object], error: type[MedseganError], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(tmp_path, ct_set, **options)
    assert files_below(tmp_path) == []


def test_a_wrong_path_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file or folder"):
        run(tmp_path / "w", tmp_path / "absent")
    assert not (tmp_path / "w").exists()


def test_bad_cases_are_left_out_and_named(write_case: WriteCase, tmp_path: Path) -> None:
    folder = write_set(write_case, tmp_path / "set", n=4)
    write_case(folder / "images" / "moved.nii.gz", folder / "labels" / "moved.nii.gz", shift_mm=7.0)
    write_case(folder / "images" / "other.nii.gz", folder / "labels" / "other.nii.gz", appearance="mr")
    (folder / "images" / "torn.nii.gz").write_bytes(b"not a scan")
    (folder / "labels" / "mueller_3.nii.gz").write_bytes(b"not a label")
    result = run(tmp_path / "w", folder)
    sources = Workspace.open(tmp_path / "w").private.read_domain("ct")
    reasons = {sources[case_id].image.name: reason for case_id, reason in result.failures}
    assert sorted(reasons) == ["moved.nii.gz", "mueller_3.nii.gz", "other.nii.gz", "torn.nii.gz"]
    assert "7 mm" in reasons["moved.nii.gz"]
    assert "this scan is mr" in reasons["other.nii.gz"]
    assert result.n_cases == 3
    assert len(list((result.store / "images").iterdir())) == 3


def test_labels_a_hair_beside_the_scan_are_resampled_and_noted(write_case: WriteCase, tmp_path: Path) -> None:
    for n in range(2):
        write_case(tmp_path / f"p{n}_ct.nii.gz", tmp_path / f"p{n}_seg.nii.gz", shift_mm=0.3)
    result = run(tmp_path / "w", tmp_path)
    notes = SliceStore.open(result.store).manifest.cases[0].notes
    assert any("resampled onto the scan's grid" in note and "0.3 mm" in note for note in notes)


def test_all_cases_bad_leaves_nothing(write_case: WriteCase, tmp_path: Path) -> None:
    folder = write_set(write_case, tmp_path / "set", n=2, shift_mm=9.0)
    with pytest.raises(DataError, match=r"none of 2 cases can be prepared; the first one: .*9 mm"):
        run(tmp_path / "w", folder)
    assert not (tmp_path / "w").exists()


def test_a_full_disk_ends_the_preparation(ct_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.save", full)
    with pytest.raises(InputError, match=r"\.npy cannot be written: No space left on device"):
        run(tmp_path, ct_set)
    assert files_below(tmp_path) == []


def test_an_interruption_leaves_the_old_store(
    ct_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(tmp_path, ct_set)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("medsegan.workflows.preparation.case_work.prepare_case", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, ct_set, overwrite=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert first.store.is_dir()


def test_dry_run_tells_all_and_writes_nothing(ct_set: Path, tmp_path: Path) -> None:
    expected = run(tmp_path / "w", ct_set, classes={"liver": 6}, dry_run=True)
    assert files_below(tmp_path) == []
    result = run(tmp_path / "w", ct_set, classes={"liver": 6})
    for name in (
        "domain",
        "modality",
        "layout",
        "n_cases",
        "n_labeled",
        "n_slices",
        "bytes_needed",
        "splits",
        "store",
    ):
        assert getattr(expected, name) == getattr(result, name), name
    arrays = sum(np.load(path).nbytes for path in result.store.rglob("*.npy"))
    assert expected.bytes_needed == arrays
    assert (expected.dry_run, expected.contact_sheet) == (True, None)


def test_a_tie_of_modalities_is_asked_about(write_case: WriteCase, tmp_path: Path) -> None:
    write_case(tmp_path / "a.nii.gz", appearance="ct")
    write_case(tmp_path / "b.nii.gz", appearance="mr")
    with pytest.raises(UsageError, match=r"different kinds .*--modality"):
        run(tmp_path / "w", tmp_path)
    assert run(tmp_path / "w", tmp_path, modality="mr").n_cases == 2


def test_scans_without_labels_belong_to_the_classes_of_the_workspace(
    write_case: WriteCase, ct_set: Path, tmp_path: Path
) -> None:
    run(tmp_path / "w", ct_set, classes={"liver": 6, "kidney": 200})
    unlabeled = write_set(write_case, tmp_path / "more", n=2, n_labeled=0, appearance="mr")
    result = run(tmp_path / "w", unlabeled)
    assert SliceStore.open(result.store).manifest.class_names == ("background", "liver", "kidney")
    assert result.splits == {"train": 2, "val": 0, "test": 0}
    with pytest.raises(DataError, match="no label file with a labelled voxel"):
        run(tmp_path / "w", unlabeled, domain="more", classes={"liver": 6})


def test_the_listener_hears_what_was_taken_for_what(ct_set: Path, tmp_path: Path) -> None:
    listener = Listener()
    prepare(tmp_path, PrepareOptions((ct_set,), size=SIZE), listener)
    assert ("prepare ct", 5, "cases") in listener.stages
    assert listener.notes[0] == "two folders, images/ and labels/ with equal names: 5 cases, 4 of them with labels"
    assert listener.notes[1].startswith(
        "domain ct, named after the modality, ct; modality ct, 5 of 5 scans looked at"
    )


def test_another_plane_than_the_acquired_one_is_said(ct_set: Path, tmp_path: Path) -> None:
    result = run(tmp_path, ct_set, plane="coronal")
    assert any("thick slices in the axial plane" in note for note in result.notes)
    assert result.n_slices == 5 * 36
    assert Workspace.open(tmp_path).preparation is not None
