"""X-ray pictures through the whole road: pairs of PNG files in, PNG masks out, scored in the picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid
from road import SMALL, run

from medsegan.errors import DataError, InputError
from medsegan.imaging import read_label, read_volume
from medsegan.slices import SliceStore, assemble_labels, cut_label
from medsegan.workflows.datasets.discover import discover
from medsegan.workflows.prepare import PrepareOptions, prepare
from medsegan.workflows.workspace import Workspace

SIZE = (90, 70)  # rows, columns
Captured = pytest.CaptureFixture[str]


def chest(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A bright trunk with two dark lungs (150 the patient's right, 200 his left)."""
    random = np.random.default_rng(seed)
    row, column = np.indices(SIZE)
    shift = random.integers(-3, 4)
    right = ((row - 42) / 26) ** 2 + ((column - 20 - shift) / 10) ** 2 <= 1
    left = ((row - 45) / 24) ** 2 + ((column - 50 - shift) / 9) ** 2 <= 1
    picture = np.select([right, left], [60, 75], 190) + random.integers(-15, 16, SIZE)
    return picture.astype(np.uint8), np.select([right, left], [150, 200], 0).astype(np.uint8)


def write_pairs(folder: Path, n: int, *, soft: bool = False) -> Path:
    """images/ and masks/ with equal names; soft masks have smooth edges around both lungs."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(n):
        picture, mask = chest(number)
        if soft:
            blurred = Image.fromarray(np.where(mask > 0, 255, 0).astype(np.uint8)).resize(
                (280, 360), Image.BICUBIC
            )
            picture = np.asarray(Image.fromarray(picture).resize((280, 360)))
            mask = np.asarray(blurred)
        Image.fromarray(picture).save(folder / "images" / f"CHNCXR_{number:04d}_1.png")
        Image.fromarray(mask).save(folder / "masks" / f"CHNCXR_{number:04d}_1.png")
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pictures"), 6)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, pairs: Path) -> Path:
    """Prepared, and a U-Net trained for a few steps."""
    folder = tmp_path_factory.mktemp("workspace")
    classes = ["--classes", "right_lung=150,left_lung=200"]
    assert run("-C", folder, "prepare", pairs, "--size", 32, *classes, "--test-fraction", 0.3) == 0
    options = ["--labeled", 2, "--device", "cpu", *SMALL]
    assert run("-C", folder, "train", "--method", "unet", "--images", 64, "--name", "unet", *options) == 0
    return folder


def test_pairs_are_a_domain_of_x_rays(workspace: Path, pairs: Path) -> None:
    store = SliceStore.open(workspace / "data" / "xray")
    assert store.manifest.modality == "xray"
    assert len(store.manifest.cases) == 6
    sources = Workspace.open(workspace).private.read_domain("xray")
    for case in store.manifest.cases:
        assert case.n_slices == 1
        assert case.scale.kind == "percentile"
        label = read_label(pairs / "masks" / sources[case.case_id].image.name)
        indices = np.searchsorted([0, 150, 200], label.array).astype(np.uint8)
        assert np.array_equal(store.read_labels(case.case_id), cut_label(indices, case.frame, 3))
        scores = np.moveaxis(np.eye(3, dtype=np.float32)[store.read_labels(case.case_id)], -1, 1)
        back = assemble_labels(scores, case.frame)
        assert back.shape == (70, 90, 1)
        assert (back == indices).mean() > 0.97


def test_a_picture_in_gives_a_picture_out(workspace: Path, pairs: Path, tmp_path: Path) -> None:
    source = sorted((pairs / "images").iterdir())[0]
    assert run("-C", workspace, "segment", source, "-o", tmp_path / "mask.png", "--model", "unet") == 0
    with Image.open(tmp_path / "mask.png") as mask:
        assert (mask.mode, mask.size) == ("L", SIZE[::-1])
        values = np.asarray(mask)
    assert set(np.unique(values)) <= {0, 150, 200}
    assert run("-C", workspace, "segment", pairs / "images", "-o", tmp_path / "masks", "--model", "unet") == 0
    names = sorted(path.name for path in (pairs / "images").iterdir())
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == names
    assert np.array_equal(read_label(tmp_path / "masks" / source.name).array[..., 0].T, values)
    assert run("-C", workspace, "segment", source, "-o", tmp_path / "mask.nii.gz", "--model", "unet") == 0
    assert np.array_equal(read_label(tmp_path / "mask.nii.gz").array[..., 0].T, values)


def test_a_run_is_scored_on_pictures(workspace: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert run("-C", workspace, "eval", "--domain", "xray", "--run", "unet", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert "right_lung" in json.dumps(document)


def test_soft_masks_are_one_class(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "soft", 3, soft=True)
    result = prepare(tmp_path / "workspace", PrepareOptions((folder,), size=32))
    assert result.domain == "xray"
    assert [summary.name for summary in result.classes] == ["label_1"]
    assert any("soft mask" in note for note in result.notes)


def test_pictures_beside_volumes_are_no_scans(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    source = sorted((pairs / "images").iterdir())[0]
    (tmp_path / "images" / "preview.png").write_bytes(source.read_bytes())
    assert len(discover([tmp_path]).cases) == 1
    (tmp_path / "images" / "scan.nrrd").write_bytes(b"")
    assert [case.image.name for case in discover([tmp_path]).cases] == ["scan.nrrd"]
    (tmp_path / "images" / "scan.nrrd").unlink()
    (tmp_path / "images" / "preview.png").unlink()
    with pytest.raises(InputError, match="PNG or TIFF"):
        discover([tmp_path])


@pytest.mark.parametrize(
    ("options", "words"), [({"modality": "ct"}, "no Hounsfield"), ({"plane": "coronal"}, "axial")]
)
def test_what_cannot_be_meant_is_refused(pairs: Path, tmp_path: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        prepare(tmp_path, PrepareOptions((pairs,), size=32, **options))  # type: ignore[arg-type]


def test_a_mask_of_another_size_fails_its_case_alone(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "set", 3)
    path = sorted((folder / "masks").iterdir())[1]
    Image.fromarray(chest(1)[1][:60, :60]).save(path)
    result = prepare(tmp_path / "workspace", PrepareOptions((folder,), size=32))
    assert result.n_cases == 2
    assert "60 x 60 pixels" in result.failures[0][1]


def test_chest_x_rays(real_scans, tmp_path: Path) -> None:
    folder = real_scans("cxr_shenzhen")
    images = sorted((folder / "images").iterdir())[:6]
    result = prepare(tmp_path, PrepareOptions(tuple(images), labels=folder / "masks", size=64))
    assert (result.domain, result.n_cases, result.n_labeled, result.n_slices) == ("xray", 6, 6, 6)
    assert [summary.name for summary in result.classes] == ["label_1"]
    assert read_volume(images[0]).is_picture


def write_radiograph(path: Path, patient: str, picture: np.ndarray) -> None:
    """A digital X-ray with 0.5 mm at the detector."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.PatientID, dataset.SeriesInstanceUID = patient, generate_uid(entropy_srcs=[path.stem])
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *picture.shape, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation, dataset.PhotometricInterpretation = 0, "MONOCHROME1"
    dataset.ImagerPixelSpacing, dataset.PixelData = [0.5, 0.5], (255 - picture).tobytes()
    dataset.save_as(path, enforce_file_format=True)


def test_dicom_x_rays_with_masks_of_pixels(workspace: Path, tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for number in range(4):
        picture, mask = chest(number)
        write_radiograph(tmp_path / "set" / "images" / f"x{number}.dcm", f"P{number // 2}", picture)
        Image.fromarray(mask).save(tmp_path / "set" / "masks" / f"x{number}.png")
    result = prepare(tmp_path / "workspace", PrepareOptions((tmp_path / "set",), size=32))
    assert (result.domain, result.n_cases, result.n_labeled) == ("xray", 4, 4)
    assert any(note.startswith("2 patients from 4 scans") for note in result.notes)
    assert any("at the detector" in note for note in result.notes)
    store = SliceStore.open(result.store)
    assert {case.frame.source.spacing_mm for case in store.manifest.cases} == {(0.5, 0.5, 1.0)}
    masks = tmp_path / "masks"
    assert run("-C", workspace, "segment", tmp_path / "set" / "images", "-o", masks, "--model", "unet") == 0
    assert sorted(path.name for path in masks.iterdir()) == [f"x{number}.nii.gz" for number in range(4)]
    one = tmp_path / "one.png"
    assert (
        run("-C", workspace, "segment", tmp_path / "set" / "images" / "x1.dcm", "-o", one, "--model", "unet") == 0
    )
    assert np.array_equal(read_label(one).array, read_label(masks / "x1.nii.gz").array)
