"""The whole road on phantoms, in process: prepare, train, segment, eval, and one wrong turn after the other."""

import csv
import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from road import CLASSES, SMALL, prepare_both, run, train_both, write_phantoms
from scipy import ndimage

from medsegan.imaging import read_label, read_volume

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six CT and two MR phantoms."""
    folder = tmp_path_factory.mktemp("scans")
    write_phantoms(folder)
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, scans: Path) -> Path:
    """Both domains prepared, a GAN and a U-Net trained for a few steps."""
    folder = tmp_path_factory.mktemp("workspace")
    prepare_both(folder, scans)
    train_both(folder)
    return folder


def first(folder: Path) -> Path:
    """The first scan of a folder of phantoms."""
    return sorted((folder / "images").iterdir())[0]


def error_of(capsys: Captured) -> str:
    """The one line of the error; fails if there is more than one."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("medsegan: error:")]
    assert len(lines) == 1
    return lines[0]


def test_a_run_leaves_what_it_promises(workspace: Path) -> None:
    run_folder = workspace / "runs" / "gan"
    for name in ("config.toml", "run.json", "stats.jsonl", "model/model.json", "model/model.safetensors"):
        assert (run_folder / name).is_file(), name
    assert {path.name.split("-")[0] for path in (run_folder / "samples").iterdir()} == {"gan", "encoder"}
    stages = {json.loads(line)["stage"] for line in (run_folder / "stats.jsonl").read_text().splitlines()}
    assert stages == {"gan", "encoder"}


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_mask_lies_on_the_grid_of_its_scan(workspace: Path, scans: Path, tmp_path: Path, suffix: str) -> None:
    source, mask = first(scans / "mr"), tmp_path / f"mask{suffix}"
    assert run("-C", workspace, "segment", source, "-o", mask, "--model", "unet") == 0
    volume, label = read_volume(source), read_label(mask)
    assert volume.grid.corner_distance_voxels(label.grid) < 1e-3
    if suffix == ".nii.gz":
        assert np.array_equal(nib.load(source).affine, nib.load(mask).affine)


def test_a_mask_holds_the_values_of_the_users_labels(scans: Path, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    for kind in ("images", "labels"):
        (sparse / kind).mkdir(parents=True)
    for path in sorted((scans / "ct" / "images").iterdir())[:3]:
        shutil.copy(path, sparse / "images")
        image = nib.load(scans / "ct" / "labels" / path.name)
        values = np.array([0, 200, 500, 600, 0], dtype=np.uint16)[np.asarray(image.dataobj)]
        nib.save(nib.Nifti1Image(values, image.affine), sparse / "labels" / path.name)
    classes = "liver=200,spleen=500,right_kidney=600"
    prepared = ["prepare", sparse, "--size", 32, "--classes", classes, "--test-fraction", 0, "--val-fraction", 0]
    assert run("-C", tmp_path, *prepared) == 0
    trained = ["train", "--method", "unet", "--images", 400, "--device", "cpu", *SMALL]
    assert run("-C", tmp_path, *trained) == 0
    mask = tmp_path / "mask.nii.gz"
    assert run("-C", tmp_path, "segment", first(sparse), "-o", mask) == 0
    values = set(np.unique(read_label(mask).array).tolist())
    assert 200 in values
    assert values <= {0, 200, 500, 600}


def test_the_extras_of_segment(workspace: Path, scans: Path, tmp_path: Path) -> None:
    source = first(scans / "mr")
    extras = ["--probabilities", tmp_path / "p.nii.gz", "--residual", tmp_path / "r.nii.gz"]
    extras += ["--preview", tmp_path / "look.png", "--steps", 2, "--keep-all"]
    assert run("-C", workspace, "segment", source, "-o", tmp_path / "m.nii.gz", "--model", "gan", *extras) == 0
    shape = nib.load(source).shape
    probabilities = nib.load(tmp_path / "p.nii.gz").get_fdata()
    assert probabilities.shape == (*shape, 5)
    assert np.abs(probabilities.sum(axis=3) - 1).max() < 0.02
    residual = nib.load(tmp_path / "r.nii.gz").get_fdata()
    assert residual.shape == shape
    assert residual.max() > 0
    assert (tmp_path / "look.png").stat().st_size > 1000
    mask = read_label(tmp_path / "m.nii.gz").array
    agrees = probabilities.argmax(axis=3) == mask
    assert agrees.mean() > 0.99  # but for the eighth bit of the stored probabilities


def test_a_mask_is_cleaned_unless_all_is_kept(
    workspace: Path, scans: Path, tmp_path: Path, capsys: Captured
) -> None:
    """The labels of the phantoms show every organ in one piece, and a network of a few steps leaves specks."""
    made = []
    for flags in ([], ["--keep-all"]):
        mask, probabilities = tmp_path / f"m{len(made)}.nii.gz", tmp_path / f"p{len(made)}.nii.gz"
        call = ["segment", first(scans / "ct"), "-o", mask, "--probabilities", probabilities, *flags]
        assert run("-C", workspace, *call, "--model", "unet", "--json") == 0
        case = json.loads(capsys.readouterr().out)["cases"][0]
        made.append(
            (read_label(mask).array, probabilities.read_bytes(), case["removed_voxels"], str(case["notes"]))
        )
    cleaned, everything = made[0][0], made[1][0]
    assert sum(made[0][2].values()) == np.count_nonzero(cleaned != everything) > 0
    assert not cleaned[cleaned != everything].any()
    for value in np.unique(everything[everything > 0]):
        assert ndimage.label(cleaned == value, np.ones((3, 3, 3)))[1] == 1
    assert made[0][1] == made[1][1]
    assert made[1][2] == {}
    assert ["--keep-all" in notes for *_, notes in made] == [True, False]


def test_a_folder_of_scans_goes_on_past_a_bad_one(
    workspace: Path, scans: Path, tmp_path: Path, capsys: Captured
) -> None:
    folder, masks = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    shutil.copy(first(scans / "mr"), folder / "good.nii.gz")
    (folder / "bad.nii.gz").write_bytes(b"no scan at all")
    call = ["-C", workspace, "segment", folder, "-o", masks, "--model", "unet"]
    assert run(*call) == 8
    assert [path.name for path in masks.iterdir()] == ["good.nii.gz"]
    said = capsys.readouterr().err
    assert "bad" not in said
    scans_of = json.loads((workspace / "private" / "segment.json").read_text())["scans"]
    assert [Path(path).name for case_id, path in scans_of.items() if f"{case_id}  " in said] == ["bad.nii.gz"]
    assert run("-v", *call, "--overwrite") == 8
    assert str(folder / "bad.nii.gz") in capsys.readouterr().err
    assert run(*call) == 2  # the good one is there already
    (folder / "bad.nii.gz").unlink()
    assert run(*call, "--skip-existing") == 5


def test_eval_scores_both_domains(workspace: Path, capsys: Captured) -> None:
    for domain, seen in (("ct", True), ("mri", False)):
        assert run("-C", workspace, "eval", "--domain", domain, "--run", "gan", "--steps", 1, "--json") == 0
        document = json.loads(capsys.readouterr().out)
        assert document["in_domain"] is seen
        assert list(document["classes"]) == ["liver", "spleen", "right_kidney", "left_kidney"]
        with Path(document["files"]["csv"]).open() as file:
            rows = list(csv.DictReader(file))
        assert {row["metric"] for row in rows} >= {"dice", "hd100", "hd95", "assd", "volume_difference"}


def test_eval_scores_the_reference_itself_as_perfect(workspace: Path, capsys: Captured) -> None:
    """A prediction equal to the user's own label file, put in place of the run's mask, gets Dice 1."""
    sources = json.loads((workspace / "private" / "domains" / "mri.json").read_text())["cases"]
    call = ["eval", "--domain", "mri", "--run", "unet", "--json"]
    assert run("-C", workspace, *call) == 0
    assert json.loads(capsys.readouterr().out)["mean_over_classes"]["metrics"]["dice"]["mean"] < 0.9
    masks = list((workspace / "runs" / "unet" / "predictions" / "mri").rglob("*.nii.gz"))
    assert len(masks) == len(sources)
    for mask in masks:
        shutil.copy(sources[mask.name.removesuffix(".nii.gz")]["label"], mask)
    assert run("-C", workspace, *call) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["mean_over_classes"]["metrics"]["dice"]["mean"] == 1.0
    shutil.rmtree(workspace / "runs" / "unet" / "predictions")


def test_unlabelled_labels_and_the_test_split_are_never_read(tmp_path: Path, scans: Path, workspace: Path) -> None:
    """Rubbish in the labels of unlabelled cases, and a test split without files, change no weight."""
    copy = tmp_path / "copy"
    shutil.copytree(workspace, copy, ignore=shutil.ignore_patterns("runs"))
    store = copy / "data" / "ct"
    used = json.loads((workspace / "runs" / "gan" / "run.json").read_text())
    assert len(used["labeled_cases"]) < len(used["training_cases"])
    for path in (store / "labels").iterdir():
        if path.stem not in used["labeled_cases"]:
            path.write_bytes(b"rubbish")
    for folder in ("images", "labels"):
        for path in (store / folder).iterdir():
            if path.stem not in used["training_cases"]:
                path.unlink()
    train = ["train", "--images", 160, "--encoder-images", 160, "--labeled", 2, "--device", "cpu", *SMALL]
    for root in (workspace, copy):  # 20 steps of each stage
        assert run("-C", root, *train, "--name", "leak") == 0
    models = [root / "runs" / "leak" / "model" / "model.safetensors" for root in (workspace, copy)]
    assert models[0].read_bytes() == models[1].read_bytes()
    shutil.rmtree(workspace / "runs" / "leak")


def test_the_nine_are_a_subset_of_the_twenty(workspace: Path) -> None:
    drawn = []
    for n in (1, 2, 3):
        name = f"drawn-{n}"
        call = ["train", "--labeled", n, "--method", "unet", "--images", 8, "--name", name, "--device", "cpu"]
        assert run("-C", workspace, *call, *SMALL) == 0
        drawn.append(set(json.loads((workspace / "runs" / name / "run.json").read_text())["labeled_cases"]))
        shutil.rmtree(workspace / "runs" / name)
    assert drawn[0] < drawn[1] < drawn[2]


def test_info_summarises_the_workspace(workspace: Path, capsys: Captured) -> None:
    assert run("-C", workspace, "info", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["workspace"]["runs"]["gan"] == "finished"
    assert set(document["workspace"]["domains"]) == {"ct", "mri"}
    assert document["kernels"]


def test_wrong_path(workspace: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run("-C", tmp_path, "prepare", tmp_path / "nowhere") == 3
    assert "nowhere" in error_of(capsys)
    assert run("-C", workspace, "segment", tmp_path / "nowhere.nii.gz", "-o", tmp_path / "m.nii.gz") == 3
    assert "nowhere.nii.gz" in error_of(capsys)
    assert list(tmp_path.iterdir()) == []


def test_wrong_domain_and_wrong_run(workspace: Path, capsys: Captured) -> None:
    assert run("-C", workspace, "eval", "--domain", "pet") == 2
    assert "ct, mri" in error_of(capsys)
    assert run("-C", workspace, "train", "--domain", "pet") == 2
    assert "ct, mri" in error_of(capsys)
    assert run("-C", workspace, "eval", "--domain", "ct", "--run", "nobody") == 6
    assert "gan, unet" in error_of(capsys)


def test_no_labels_and_too_many_labels(tmp_path: Path, scans: Path, workspace: Path, capsys: Captured) -> None:
    bare = ["prepare", scans / "ct" / "images", "--size", 32, "--domain", "ct"]
    assert run("-C", tmp_path, *bare) == 0
    assert run("-C", tmp_path, "train", "--labeled", 1) == 4
    assert "no labelled patient" in error_of(capsys)
    assert run("-C", workspace, "train", "--labeled", 99, "--name", "many") == 2
    assert "99" in error_of(capsys)
    assert not (workspace / "runs" / "many").exists()


def test_mismatched_grids(tmp_path: Path, scans: Path, capsys: Captured) -> None:
    for kind in ("images", "labels"):
        shutil.copytree(scans / "mr" / kind, tmp_path / "moved" / kind)
    for path in (tmp_path / "moved" / "labels").iterdir():
        image = nib.load(path)
        affine = image.affine.copy()
        affine[0, 3] += 40
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), path)
    assert run("-C", tmp_path, "prepare", tmp_path / "moved", "--size", 32, "--classes", CLASSES) == 4
    assert "mm" in error_of(capsys)
    assert not (tmp_path / "data").exists() or not any((tmp_path / "data").iterdir())
    assert not (tmp_path / "medsegan.toml").exists()


def test_a_device_that_is_absent_is_an_error(workspace: Path, capsys: Captured) -> None:
    assert run("-C", workspace, "train", "--labeled", 1, "--device", "cuda:99", "--name", "gone") == 9
    assert "cuda:99" in error_of(capsys)
    assert not (workspace / "runs" / "gone").exists()


def test_an_existing_run_is_not_overwritten(workspace: Path, capsys: Captured) -> None:
    before = (workspace / "runs" / "gan" / "model" / "model.safetensors").stat().st_mtime_ns
    assert run("-C", workspace, "train", "--labeled", 2, "--name", "gan") == 2
    assert "--resume" in error_of(capsys)
    assert (workspace / "runs" / "gan" / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_a_resumed_run_keeps_its_options(workspace: Path, tmp_path: Path, capsys: Captured) -> None:
    stopped = tmp_path / "stopped"
    shutil.copytree(workspace, stopped)
    shutil.rmtree(stopped / "runs" / "gan" / "model")  # as if it had been killed before the end
    resume = ["-C", stopped, "train", "--name", "gan", "--resume"]
    for option, value in (
        ("--method", "unet"),
        ("--labeled", 3),
        ("--seed", 5),
        ("--images", 99),
        ("--set", "gan.batch=4"),
    ):
        assert run(*resume, option, value) == 6
        assert option in error_of(capsys)
    assert run(*resume, "--labeled", 2, "--set", "gan.batch=8") == 0
    first, second = (root / "runs/gan/model/model.safetensors" for root in (workspace, stopped))
    assert first.read_bytes() == second.read_bytes()
    assert run(*resume) == 5
    assert "finished" in error_of(capsys)


def test_dry_runs_write_nothing(workspace: Path, scans: Path, tmp_path: Path, capsys: Captured) -> None:
    assert run("-C", workspace, "train", "--labeled", 2, "--name", "dry", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["generator"] > 0
    assert not (workspace / "runs" / "dry").exists()
    call = ["segment", first(scans / "ct"), "-o", tmp_path / "m.nii.gz", "--dry-run"]
    assert run("-C", workspace, *call) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_a_pickle_is_refused(
    workspace: Path, scans: Path, tmp_path: Path, capsys: Captured
) -> None:
    import torch

    model = tmp_path / "model"
    shutil.copytree(workspace / "runs" / "unet" / "model", model)
    torch.save({"network": torch.zeros(1)}, model / "model.safetensors")
    assert run("-C", workspace, "segment", first(scans / "ct"), "-o", tmp_path / "m.nii.gz", "--model", model) == 6
    assert "pickle" in error_of(capsys)
    assert not (tmp_path / "m.nii.gz").exists()


def test_a_dicom_series_in_gives_a_mask_of_its_own_place(workspace: Path, tmp_path: Path) -> None:
    from medsegan.phantoms import write_dataset

    write_dataset(tmp_path / "dicom", "ct", 1, seed=5, dicom=True)
    series = first(tmp_path / "dicom")
    mask = tmp_path / "mask.nii.gz"
    assert run("-C", workspace, "segment", series, "-o", mask, "--model", "unet") == 0
    assert read_volume(series).grid.corner_distance_voxels(read_label(mask).grid) < 1e-3


def test_a_killed_run_ends_like_one_that_was_not(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of the GAN and again in that of the encoder; the model is the same to the last bit."""
    from medsegan.training import loop

    killed = tmp_path / "killed"
    shutil.copytree(workspace, killed, ignore=shutil.ignore_patterns("runs"))
    options = ["--labeled", 2, "--images", 64, "--encoder-images", 48, "--name", "gan", "--device", "cpu", *SMALL]
    monkeypatch.setattr(loop.Schedule, "intervals", lambda self, total: (500, 500, 16))
    step = loop.seed_step
    for stage, stop in (("gan", 40), ("encoder", 24)):

        def kill(seed: int, rank: int, name: str, nimg: int, stage: str = stage, stop: int = stop) -> None:
            if (name, nimg) == (stage, stop):
                raise KeyboardInterrupt
            step(seed, rank, name, nimg)

        monkeypatch.setattr(loop, "seed_step", kill)
        assert run("-C", killed, "train", "--resume", *options) == 130
    monkeypatch.setattr(loop, "seed_step", step)
    assert run("-C", killed, "train", "--name", "gan", "--resume") == 0
    first, second = (root / "runs/gan/model/model.safetensors" for root in (workspace, killed))
    assert first.read_bytes() == second.read_bytes()


def test_a_scan_is_never_overwritten_by_its_mask(
    workspace: Path, scans: Path, tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    scan = folder / "a.nii.gz"
    shutil.copy(first(scans / "ct"), scan)
    before = scan.read_bytes()
    for output in (scan, folder):
        source = scan if output == scan else folder
        assert run("-C", workspace, "segment", source, "-o", output, "--model", "unet", "--overwrite") == 2
        assert "is a scan that is read" in error_of(capsys)
    assert scan.read_bytes() == before


def test_labels_in_a_folder_of_scans_are_left_out(workspace: Path, scans: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    assert run("-C", workspace, "segment", scans / "mr", "-o", masks, "--model", "unet") == 0
    assert len(list(masks.rglob("*.nii.gz"))) == 2


def test_the_demo_leaves_other_folders_alone(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "mine.txt").write_text("precious")
    assert run("demo", tmp_path, "--overwrite") == 2
    assert "other files" in error_of(capsys)
    assert (tmp_path / "scans" / "mine.txt").read_text() == "precious"


def test_patients_of_the_training_are_no_test_patients(workspace: Path, tmp_path: Path, capsys: Captured) -> None:
    """The domain is split anew after the training: eval must notice."""
    moved = tmp_path / "moved"
    shutil.copytree(workspace, moved)
    path = moved / "data" / "ct" / "splits.json"
    document = json.loads(path.read_text())
    document["patients"] = dict.fromkeys(document["patients"], "test")
    path.write_text(json.dumps(document))
    assert run("-C", moved, "eval", "--domain", "ct", "--run", "unet") == 4
    assert "were in the training" in error_of(capsys)


def test_eval_of_a_domain_without_labels(workspace: Path, scans: Path, tmp_path: Path, capsys: Captured) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(workspace, copy)
    bare = ["prepare", scans / "ct" / "images", "--domain", "bare"]
    assert run("-C", copy, *bare) == 0
    assert run("-C", copy, "eval", "--domain", "bare", "--run", "unet") == 5
    assert "no labelled case" in error_of(capsys)
