"""Files that hold a volume for each modality, from the list of the Decathlon to the scores."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from road import CLASSES, SMALL, run

from medsegan.imaging import read_volume
from medsegan.phantoms import write_dataset
from medsegan.slices import SliceStore
from medsegan.workflows.verify import VerifyOptions, verify
from medsegan.workflows.workspace import Workspace

COMMON = ["--size", 32, "--classes", CLASSES, "--modality", "mr"]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients: noise as FLAIR, the phantoms as T2w."""
    plain, root = tmp_path_factory.mktemp("plain"), tmp_path_factory.mktemp("set") / "Task"
    write_dataset(plain, "mr", 4, seed=3)
    training = []
    for place in ("imagesTr", "labelsTr"):
        (root / place).mkdir(parents=True)
    for path in sorted((plain / "images").iterdir()):
        image, label = nib.load(path), nib.load(plain / "labels" / path.name)
        noise = np.random.default_rng(0).integers(0, 500, image.shape)
        both = np.stack([noise, np.asarray(image.dataobj)], axis=-1).astype(np.int16)
        nib.save(nib.Nifti1Image(both, image.affine), root / "imagesTr" / path.name)
        nib.save(label, root / "labelsTr" / path.name)
        training.append({"image": f"./imagesTr/{path.name}", "label": f"./labelsTr/{path.name}"})
    document = {"name": "X", "tensorImageSize": "4D", "modality": {"0": "FLAIR", "1": "T2w"}}
    labels = {"0": "background", "1": "liver", "2": "spleen", "3": "right_kidney", "4": "left_kidney"}
    (root / "dataset.json").write_text(json.dumps({**document, "labels": labels, "training": training}))
    return root


def test_eval_reads_the_channel_that_was_prepared(
    scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["-C", tmp_path, "prepare", scans, *COMMON, "--val-fraction", 0, "--test-fraction", 0.5]
    assert run(*call) == 4
    assert "0 (FLAIR), 1 (T2w)" in (said := capsys.readouterr().err)
    assert "--contrast" in said
    assert run(*call, "--contrast", "T3") == 2
    assert run(*call, "--contrast", "t2W", "--domain", "t2") == 0
    assert run(*call, "--contrast", "0", "--domain", "flair") == 0
    assert run(*call, "--contrast", "0", "--domain", "t2", "--skip-existing") == 0  # none of them is taken over
    assert run(*call, "--contrast", "1", "--domain", "t2", "--overwrite") == 0
    assert run(*call, "--contrast", "T2w", "--domain", "t2", "--skip-existing") == 5
    private = Workspace.open(tmp_path).private
    channels = [{one.channel for one in private.read_domain(name).values()} for name in ("t2", "flair")]
    assert channels == [{1}, {0}]
    images = []
    for name in ("t2", "flair"):
        store = SliceStore.open(tmp_path / "data" / name)
        assert any("of 2 of the file" in note for note in store.cases()[0].notes)
        images.append(store.read_images(store.cases()[0].case_id))
    assert not np.array_equal(*images)
    train = ["train", "--method", "unet", "--images", 32, "--name", "unet", "--labeled", 2, "--device", "cpu"]
    assert run("-C", tmp_path, *train, "--domain", "t2", *SMALL) == 0
    assert run("-C", tmp_path, "eval", "--domain", "t2", "--run", "unet", "--device", "cpu") == 0
    made = [json.loads(path.read_text()) for path in tmp_path.rglob("predictions/**/*.medsegan.json")]
    assert [one["settings"]["channel"] for one in made] == [1, 1]
    scan = next((scans / "imagesTr").iterdir())
    mask = tmp_path / "mask.nii.gz"
    options = ["--model", "unet", "--device", "cpu", "--contrast"]
    assert run("-C", tmp_path, "segment", scan, "-o", mask, *options, 2) == 4
    assert run("-C", tmp_path, "segment", scan, "-o", mask, *options, 1) == 0
    assert nib.load(mask).shape == nib.load(scan).shape[:3]


def test_verify_looks_at_the_channel(scans: Path) -> None:
    found = verify(VerifyOptions((scans,)))
    assert "--contrast" in next(one.measured for one in found.findings if one.severity == "error")
    assert verify(VerifyOptions((scans,), contrast="T2w")).n_errors == 0
    assert verify(VerifyOptions((scans,), contrast="flair", modality="mr")).n_cases == 4


def test_convert_writes_one_channel(scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = next((scans / "imagesTr").iterdir())
    assert run("convert", source, tmp_path / "one.nii.gz") == 4
    assert "--contrast N" in capsys.readouterr().err
    assert run("convert", source, tmp_path / "one.nii.gz", "--contrast", 1) == 0
    expected = np.asarray(nib.load(source).dataobj)[..., 1]
    assert np.array_equal(read_volume(tmp_path / "one.nii.gz").array, expected)
    assert run("convert", source, tmp_path / "mask.nii.gz", "--contrast", 1, "--mask") == 2
    label = scans / "labelsTr" / source.name
    assert run("convert", label, tmp_path / "mask.nii.gz", "--source", source, "--contrast", 1) == 0
