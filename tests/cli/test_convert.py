"""`medsegan convert` from the outside: every way in and out, and one wrong turn after the other."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from label_scenes import centroids_mm, oblique_grid, organs, write_rtstruct, write_scan, write_seg
from PIL import Image

from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, Volume, read_label, read_volume, write_label, write_volume
from medsegan_cli import main

Captured = pytest.CaptureFixture[str]
GRID = oblique_grid()
NAMES = ("Liver", "Spleen", "Left kidney")


def convert(*arguments: object) -> int:
    """The exit code of one call."""
    return main.run(["convert", *map(str, arguments)])


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An oblique CT series with a segmentation, contours and a plain mask."""
    folder = tmp_path_factory.mktemp("scenes")
    write_scan(folder / "ct", GRID)
    write_seg(organs(), folder / "ct", folder / "seg.dcm", NAMES)
    ring = np.array([[3.5, 3.5, 4], [9.5, 3.5, 4], [9.5, 9.5, 4], [3.5, 9.5, 4]])
    write_rtstruct(folder / "rt.dcm", GRID, {"Tumour": [ring]})
    write_label(LabelVolume(organs(), GRID), folder / "mask.nii.gz")
    return folder


@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_a_series_becomes_a_volume(scenes: Path, tmp_path: Path, suffix: str, capsys: Captured) -> None:
    output = tmp_path / "new" / f"ct{suffix}"
    assert convert(scenes / "ct", output) == 0
    assert capsys.readouterr().out == f"{output}\n"
    expected, volume = read_volume(scenes / "ct"), read_volume(output)
    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.array, expected.array)
    assert volume.grid.corner_distance_voxels(expected.grid) < 1e-4
    document = json.loads((output.parent / "ct.medsegan.json").read_text())
    assert (document["command"], document["output"]["role"], document["model"]) == ("convert", "scan", None)
    again = tmp_path / "again.nii.gz"
    assert convert(output, again) == 0
    assert np.array_equal(read_volume(again).array, expected.array)


def test_archives_indexes_and_slices_are_the_same_series(scenes: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(scenes / "ct", tmp_path / "ct")
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    shutil.make_archive(str(tmp_path / "packed"), "zip", scenes / "ct")
    made = []
    for number, source in enumerate(
        (folder, folder / "DICOMDIR", folder / "slice_0003.dcm", tmp_path / "packed.zip")
    ):
        output = tmp_path / f"{number}.nii.gz"
        assert convert(source, output) == 0
        made.append(output.read_bytes())
    assert len(set(made)) == 1


@pytest.mark.parametrize("form", ["seg", "labelmap", "rtstruct"])
@pytest.mark.parametrize("first", [".nii.gz", ".nrrd", ".mha"])
def test_a_mask_becomes_dicom_and_comes_back(scenes: Path, tmp_path: Path, form: str, first: str) -> None:
    pytest.importorskip("highdicom")
    mask, made, back = tmp_path / f"mask{first}", tmp_path / "made.dcm", tmp_path / "back.nii.gz"
    write_label(LabelVolume(organs(), GRID), mask)
    how = ["--source", scenes / "ct", "--names", "liver=1,spleen=2,left_kidney=3", "--made-by", "manual"]
    assert convert(mask, made, "--as", form, *how) == 0
    assert convert(made, back, "--source", scenes / "ct") == 0
    label = read_label(back)
    assert label.array.dtype == np.uint8
    assert np.array_equal(label.array, organs())
    assert label.grid.corner_distance_voxels(GRID) < 1e-4
    document = json.loads((tmp_path / "back.medsegan.json").read_text())
    assert document["labels"] == {"liver": 1, "spleen": 2, "left_kidney": 3}
    assert document["source"]["sha256"]


def test_a_segmentation_without_its_scan_lies_where_it_was_drawn(
    scenes: Path, tmp_path: Path, capsys: Captured
) -> None:
    output = tmp_path / "mask.nii.gz"
    assert convert(scenes / "seg.dcm", output) == 0
    assert "--source lays it on its scan" in capsys.readouterr().err
    label = read_label(output)
    expected = centroids_mm(organs(), GRID)
    for value, centre in centroids_mm(label.array, label.grid).items():
        assert np.abs(centre - expected[value]).max() < 1e-3


def test_contours_get_the_grid_of_their_scan(scenes: Path, tmp_path: Path, capsys: Captured) -> None:
    output = tmp_path / "mask.nrrd"
    assert convert(scenes / "rt.dcm", output) == 2
    assert "--source" in capsys.readouterr().err
    assert convert(scenes / "rt.dcm", output, "--source", scenes / "ct") == 0
    label = read_label(output)
    assert label.grid.shape == GRID.shape
    assert label.array[:, :, 4].sum() == label.array.sum() == 36
    scan = tmp_path / "scan.nii.gz"
    assert convert(scenes / "ct", scan) == 0
    assert convert(scenes / "rt.dcm", output, "--source", scan, "--overwrite") == 0
    assert np.array_equal(read_label(output).array, label.array)


def test_names_choose_and_number_the_classes_of_a_file_that_names_them(
    scenes: Path, tmp_path: Path, capsys: Captured
) -> None:
    output = tmp_path / "mask.nii.gz"
    assert convert(scenes / "seg.dcm", output, "--names", "spleen=7,liver=300", "--source", scenes / "ct") == 0
    assert "left out, since --names does not list them: left_kidney" in capsys.readouterr().err
    label = read_label(output)
    assert label.array.dtype == np.uint16
    assert np.array_equal(label.array, np.array([0, 300, 7, 0], dtype=np.uint16)[organs()])
    assert convert(scenes / "seg.dcm", output, "--names", "splen=7", "--overwrite") == 4
    assert "no class splen; its classes are left_kidney, liver, spleen" in capsys.readouterr().err


def test_a_folder_of_classes_becomes_one_file(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "parts").mkdir()
    for value, name in enumerate(("liver", "spleen", "stomach"), start=1):
        mask = LabelVolume((organs() == value).astype(np.uint8), GRID)
        write_label(mask, tmp_path / "parts" / f"{name}.nii.gz")
    output = tmp_path / "all.nii.gz"
    assert convert(tmp_path / "parts", output, "--json") == 0
    assert json.loads(capsys.readouterr().out)["labels"] == {"liver": 1, "spleen": 2, "stomach": 3}
    assert np.array_equal(read_label(output).array, organs())
    assert convert(tmp_path / "parts", tmp_path / "x.nii.gz", "--scan") == 2
    assert "holds labels and no scan" in capsys.readouterr().err


def test_names_travel_and_say_that_a_file_holds_labels(tmp_path: Path, capsys: Captured) -> None:
    array = np.zeros((20, 20, 20), dtype=np.uint16)
    array.ravel()[:300] = 2 * np.arange(300)  # more values than a mask has by the rule
    names = {value: f"class {value}" for value in range(2, 600, 2)}
    write_label(LabelVolume(array, Grid(array.shape, np.eye(4)), names=names), tmp_path / "a.nii.gz")
    assert convert(tmp_path / "a.nii.gz", tmp_path / "b.nrrd", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["kind"], len(shown["labels"]), shown["labels"]["class_8"]) == ("mask", 299, 8)
    assert convert(tmp_path / "b.nrrd", tmp_path / "c.mha", "--names", "Class 8=1,class_10=2") == 0
    label = read_label(tmp_path / "c.mha")
    assert dict(label.names) == {1: "class_8", 2: "class_10"}
    assert np.array_equal(label.array, (array == 8) + 2 * (array == 10))
    assert convert(tmp_path / "a.nii.gz", tmp_path / "d.nii.gz", "--scan") == 0
    assert np.array_equal(read_volume(tmp_path / "d.nii.gz").array, array)


def test_pictures(tmp_path: Path) -> None:
    grey = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30) * 100
    Image.fromarray(grey).save(tmp_path / "xray.png")
    assert convert(tmp_path / "xray.png", tmp_path / "xray.nii.gz") == 0
    volume = read_volume(tmp_path / "xray.nii.gz")
    assert np.array_equal(volume.array[..., 0].T, grey)
    colours = np.zeros((20, 30, 3), dtype=np.uint8)
    colours[3:9, 4:8] = (255, 0, 0)
    Image.fromarray(colours).save(tmp_path / "mask.png")
    assert convert(tmp_path / "mask.png", tmp_path / "mask.nii.gz") == 0
    label = read_label(tmp_path / "mask.nii.gz")
    assert np.array_equal(label.array[..., 0].T, colours[..., 0] // 255)
    assert convert(tmp_path / "mask.nii.gz", tmp_path / "back.png") == 0
    assert np.array_equal(read_label(tmp_path / "back.png").array, label.array)
    assert convert(tmp_path / "xray.nii.gz", tmp_path / "xray2.png") == 2


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([0, 1, 5], np.int16), "mask"),
        (np.array([0.0, 2.0, 500.0], np.float64), "mask"),
        (np.array([0, 70000], np.int32), "scan"),
        (np.array([-1, 0, 1], np.int16), "scan"),
        (np.array([0, 0.25, 1], np.float32), "scan"),
        (np.arange(199, dtype=np.uint8), "mask"),
        (np.arange(200, dtype=np.uint8), "scan"),
        (np.array([0] * 60 + [255] * 30 + [30, 60, 90, 120, 150, 180, 200], np.uint8), "scan"),
        (np.array([0, 40000], np.uint16), "mask"),
    ],
)
def test_values_are_kept_whatever_a_volume_is_taken_for(
    tmp_path: Path, values: np.ndarray, kind: str, capsys: Captured
) -> None:
    """By the stated rule, as a scan, and as labels where they can be labels."""
    array = np.resize(values, (10, 11, 12))
    source = tmp_path / "in.nii"
    image = nib.Nifti1Image(array, np.diag([-1.0, 2.0, 3.0, 1.0]))
    image.set_sform(image.affine, 2)
    image.set_qform(image.affine, 3)
    nib.save(image, source)
    for how in ([], ["--scan"], ["--mask"] if kind == "mask" else ["--scan"]):
        output = tmp_path / "out.nii.gz"
        assert convert(source, output, "--overwrite", "--json", *how) == 0
        assert json.loads(capsys.readouterr().out)["kind"] == (how[0][2:] if how else kind)
        written = nib.load(output)
        assert np.array_equal(np.asarray(written.dataobj), array)
        for name in ("qform_code", "sform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "qoffset_x"):
            assert written.header[name] == pytest.approx(image.header[name], abs=0), name
        is_mask = how == ["--mask"] or (not how and kind == "mask")
        assert (written.get_data_dtype().kind == "u") == is_mask


def test_what_needs_more_than_32_bits_is_said_or_refused(tmp_path: Path, capsys: Captured) -> None:
    for name, array in (("a", np.full((4, 5, 6), 2**24 + 1, np.int32)), ("b", np.full((4, 5, 6), 1 / 3))):
        nib.save(nib.Nifti1Image(array, np.eye(4)), tmp_path / f"{name}.nii")
    assert convert(tmp_path / "a.nii", tmp_path / "x.nii.gz") == 4
    assert "would be rounded" in capsys.readouterr().err
    assert convert(tmp_path / "b.nii", tmp_path / "x.nii.gz") == 0
    assert "float64 are written as float32, up to 9.9e-09 off" in capsys.readouterr().err


def test_a_folder_of_several_series_shows_them_and_takes_one(
    scenes: Path, tmp_path: Path, capsys: Captured
) -> None:
    folder = tmp_path / "both"
    shutil.copytree(scenes / "ct", folder / "s1")
    write_scan(folder / "s2", oblique_grid((26, 22, 8)), seed="b")
    assert convert(folder, tmp_path / "x.nii.gz") == 4
    error = capsys.readouterr().err.splitlines()
    assert error[0].endswith("ask for one of them by its number or UID (--series):")
    assert [line[:4] for line in error[1:]] == ["  1:", "  2:"]
    assert not (tmp_path / "x.nii.gz").exists()
    assert convert(folder, tmp_path / "x.nii.gz", "--series", 2) == 0
    assert read_volume(tmp_path / "x.nii.gz").grid.shape == (26, 22, 8)
    # labels know their series themselves
    assert convert(scenes / "seg.dcm", tmp_path / "m.nii.gz", "--source", folder) == 0
    assert read_label(tmp_path / "m.nii.gz").grid.shape == GRID.shape
    strange = write_scan(tmp_path / "strange", GRID, seed="c")
    assert convert(scenes / "seg.dcm", tmp_path / "n.nii.gz", "--source", strange) == 0
    assert "drawn on another series than the source holds" in capsys.readouterr().err


def test_labels_beside_their_scan_are_refused_and_resampled_if_asked(
    scenes: Path, tmp_path: Path, capsys: Captured
) -> None:
    affine = GRID.world_from_voxel.copy()
    affine[:3, 3] += affine[:3, 0] * 1.4
    write_label(LabelVolume(organs(), Grid(GRID.shape, affine)), tmp_path / "moved.nii.gz")
    call = [tmp_path / "moved.nii.gz", tmp_path / "out.nii.gz", "--source", scenes / "ct"]
    assert convert(*call) == 4
    assert "mm" in capsys.readouterr().err
    assert convert(*call, "--resample-labels") == 0
    label = read_label(tmp_path / "out.nii.gz")
    assert label.grid.shape == GRID.shape
    assert label.array.any()


def test_a_dry_run_reads_and_writes_nothing(scenes: Path, tmp_path: Path, capsys: Captured) -> None:
    assert convert(scenes / "ct", tmp_path / "new" / "ct.nii.gz", "--dry-run") == 0
    shown = capsys.readouterr()
    assert "scan of 26 x 22 x 9 voxels" in shown.err
    assert "nothing was written (--dry-run)" in shown.err
    assert convert(scenes / "mask.nii.gz", tmp_path / "m.dcm", "--source", scenes / "ct", "--dry-run") == 0
    assert list(tmp_path.iterdir()) == []
    sheared = np.eye(4)
    sheared[0, 2] = 0.2
    nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.int16), sheared), tmp_path / "sheared.nii")
    assert convert(tmp_path / "sheared.nii", tmp_path / "x.mha", "--dry-run") == 4


@pytest.mark.parametrize(
    ("call", "code", "word"),
    [
        ("nowhere x.nii.gz", 3, "there is no such file or folder"),
        ("text.txt x.nii.gz", 3, "this is no format that can be read"),
        ("empty x.nii.gz", 3, "holds neither DICOM files"),
        ("mask.nii.gz x.jpg", 2, "the suffix decides the format"),
        ("mask.nii.gz x.png", 4, "a PNG holds one slice"),
        ("mask.nii.gz x.dcm", 2, "give its folder with --source"),
        ("mask.nii.gz x.nii.gz --as seg", 2, "give it a name in .dcm"),
        ("mask.nii.gz x.dcm --source mask.nii.gz", 2, "is no DICOM"),
        ("mask.nii.gz x.dcm --source nowhere", 3, "nowhere"),
        ("mask.nii.gz x.nii.gz --reproducible-uids", 2, "only labels in DICOM have UIDs"),
        ("mask.nii.gz x.nii.gz --made-by manual", 2, "only labels in DICOM say who made them"),
        ("mask.nii.gz x.nii.gz --series 2", 2, "only DICOM has series"),
        ("mask.nii.gz x.nii.gz --mask --series 2", 2, "give their scan with --source"),
        ("mask.nii.gz x.nii.gz --resample-labels", 2, "give it with --source"),
        ("mask.nii.gz x.nii.gz --names liver=0", 2, "--names liver=0"),
        ("mask.nii.gz x.nii.gz --as jpeg", 2, "jpeg"),
        ("mask.nii.gz mask.nii.gz --overwrite", 2, "is what is read"),
        ("mask.nii.gz taken.nii.gz", 2, "pass --overwrite"),
        ("mask.nii.gz ct", 2, "the suffix decides"),
        ("ct ct/inside.nii.gz", 2, "lies in"),
        ("mask.nii.gz ct/inside.dcm --source ct", 2, "lies in"),
        ("ct x.dcm --source ct", 2, "holds a scan and no labels"),
        ("ct x.nii.gz --names liver=1", 2, "holds a scan and no labels"),
        ("ct x.nii.gz --as seg", 2, "holds a scan and no labels"),
        ("ct x.nii.gz --mask", 2, "holds a scan and no labels"),
        ("seg.dcm x.nii.gz --scan", 2, "holds labels and no scan"),
        ("ct x.nii.gz --series 7", 4, "--series"),
    ],
)
def test_wrong_turns(
    scenes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    call: str,
    code: int,
    word: str,
) -> None:
    for path in scenes.iterdir():
        (shutil.copytree if path.is_dir() else shutil.copy)(path, tmp_path / path.name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no scan")
    (tmp_path / "taken.nii.gz").write_bytes(b"mine")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert convert(*call.split()) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    errors = [line for line in shown.err.splitlines() if line.startswith("medsegan: error: ")]
    assert len(errors) == 1
    assert word in errors[0]
    assert "unexpected" not in errors[0]
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "taken.nii.gz").read_bytes() == b"mine"


def test_who_made_a_mask_is_known_from_its_sidecar_or_said(scenes: Path, tmp_path: Path, capsys: Captured) -> None:
    pytest.importorskip("highdicom")
    from medsegan.workflows.provenance import Making, Origin, write_provenance

    mask = shutil.copy(scenes / "mask.nii.gz", tmp_path / "mask.nii.gz")
    call = [mask, tmp_path / "m.dcm", "--source", scenes / "ct", "--overwrite"]
    assert convert(*call) == 0
    assert "nothing says who made the labels" in capsys.readouterr().err
    assert pydicom.dcmread(tmp_path / "m.dcm").SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    write_provenance(mask, Origin("segment", "0" * 64, {}, "0123456789abcdef"), Making(1.0))
    assert convert(*call) == 0
    segment = pydicom.dcmread(tmp_path / "m.dcm").SegmentSequence[0]
    assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == (
        "AUTOMATIC",
        "medsegan model 0123456789ab",
    )


def test_real_segmentation_to_nifti_and_back(real_scans: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    folder = real_scans("awkward") / "dcmqi_ct3slice_and_seg"
    source, mask, made, back = (
        folder / "ct-3slice",
        tmp_path / "m.nii.gz",
        tmp_path / "m.dcm",
        tmp_path / "b.nii.gz",
    )
    assert convert(folder / "liver.dcm", mask, "--source", source) == 0
    assert convert(mask, made, "--source", source, "--names", "liver=1") == 0
    assert convert(made, back, "--source", source) == 0
    first, last = read_label(mask), read_label(back)
    assert first.array.sum() == 107098
    assert np.array_equal(first.array, last.array)
    assert first.grid.corner_distance_voxels(last.grid) < 1e-4
    reference = read_label(folder / "liver_seg.nrrd")
    assert np.count_nonzero(reference.array) == 107098


def test_a_real_slice_becomes_a_volume(real_scans: Callable[[str], Path], tmp_path: Path) -> None:
    slice_ = real_scans("awkward") / "wado_ct_16_syntaxes" / "CTImage.dcm"
    (tmp_path / "ct").mkdir()
    shutil.copy(slice_, tmp_path / "ct")
    assert convert(tmp_path / "ct", tmp_path / "ct.nii.gz") == 0
    volume = read_volume(tmp_path / "ct.nii.gz")
    assert (int(volume.array.min()), int(volume.array.max())) == (-3024, 1378)
    header = pydicom.dcmread(slice_, stop_before_pixels=True)
    text = (tmp_path / "ct.medsegan.json").read_text()
    for secret in (header.PatientID, header.PatientName, header.StudyInstanceUID, header.SeriesInstanceUID):
        assert not str(secret) or str(secret) not in text


def test_volumes_of_every_kind_keep_their_place(tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(-1000, 2000, GRID.shape).astype(np.int16)
    write_volume(Volume(array, GRID), tmp_path / "a.mha")
    for first, second in (("a.mha", "b.nrrd"), ("b.nrrd", "c.nii.gz"), ("c.nii.gz", "d.mha")):
        assert convert(tmp_path / first, tmp_path / second) == 0
    volume = read_volume(tmp_path / "d.mha")
    assert np.array_equal(volume.array, array)
    assert volume.grid.corner_distance_voxels(GRID) < 1e-4
