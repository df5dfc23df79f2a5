"""Each check of `verify` fires on a set with that one fault, and on a clean set nothing does."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from verify_scenes import AFFINE, change, check, edit, finding, write_clean_case, write_clean_set

from medsegan.errors import InputError, UsageError


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """Five CT scans with labels."""
    return write_clean_set(tmp_path / "set")


def test_a_clean_set_has_no_finding(clean: Path) -> None:
    result = check(clean)
    assert result.findings == ()
    assert (result.n_cases, result.n_labeled, result.n_patients, result.modality) == (5, 5, 5, "ct")
    assert result.classes == {"1": 5, "2": 5}
    assert check(clean, classes={"liver": 1, "spleen": 2}).findings == ()


def test_a_clean_mr_set_has_no_finding(tmp_path: Path) -> None:
    result = check(write_clean_set(tmp_path / "mr", "mr"))
    assert (result.findings, result.modality) == ((), "mr")


def test_everything_is_found_at_once_errors_first(clean: Path) -> None:
    (clean / "images/c0.nii.gz").write_bytes(b"no scan")
    edit(clean / "labels/c1.nii.gz", ..., 0)
    (clean / "labels/c2.nii.gz").write_bytes((clean / "labels/c2.nii.gz").read_bytes()[:80])
    result = check(clean)
    assert [one.what for one in result.findings] == [
        "scan cannot be read",
        "labels cannot be read",
        "empty labels",
    ]
    assert [one.case for one in result.findings] == ["c0", "c2", "c1"]
    assert (result.n_errors, result.n_warnings) == (2, 1)
    assert not any(str(clean) in one.measured for one in result.findings)


def test_labels_of_an_unreadable_scan_are_still_read(clean: Path) -> None:
    (clean / "images/c0.nii.gz").write_bytes(b"no scan")
    assert check(clean).classes == {"1": 5, "2": 5}


def test_labels_that_lie_elsewhere(tmp_path: Path) -> None:
    root = write_clean_set(tmp_path / "set")
    for name, shift_mm in (("c0", 8.0), ("c1", 0.4)):
        change(root / f"labels/{name}.nii.gz", affine=AFFINE + shift_mm * np.eye(4, k=3))
    result = check(root)
    far = finding(result, "labels do not lie on the scan")
    assert (far.severity, far.case) == ("error", "c0")
    assert "8 mm" in far.measured
    near = finding(result, "labels lie a little beside the scan")
    assert (near.severity, near.case) == ("warning", "c1")
    assert "0.4 mm" in near.measured
    assert len(result.findings) == 2


def test_label_values_that_are_no_integers(clean: Path) -> None:
    change(clean / "labels/c3.nii.gz", lambda array: array.astype(np.float32) * 0.5)
    found = finding(check(clean), "labels cannot be read")
    assert "no integers" in found.measured


def test_label_values_of_one_case_alone(clean: Path) -> None:
    edit(clean / "labels/c3.nii.gz", (0, 0, slice(0, 3)), 7)
    found = finding(check(clean), "label values of this case alone")
    assert (found.severity, found.case, found.measured) == ("warning", "c3", "7 (3 voxels), in none of 4 others")


def test_label_values_that_dataset_json_does_not_name(clean: Path) -> None:
    document = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "liver": 1, "spleen": 2}}
    (clean / "dataset.json").write_text(json.dumps(document))
    assert check(clean).findings == ()
    assert check(clean).classes == {"liver (1)": 5, "spleen (2)": 5}
    edit(clean / "labels/c3.nii.gz", (0, 0, slice(0, 3)), 7)
    found = finding(check(clean), "label values that the data set does not name")
    assert (found.severity, found.case, found.measured) == ("error", "c3", "7 (3 voxels)")


def test_a_class_that_one_case_lacks(clean: Path) -> None:
    change(clean / "labels/c2.nii.gz", lambda array: np.where(array == 2, 0, array).astype(np.uint8))
    result = check(clean)
    found = finding(result, "a class is missing")
    assert (found.severity, found.case, found.measured) == ("warning", "c2", "2; 4 of 5 cases have it")
    assert result.classes == {"1": 5, "2": 4}


def test_a_class_that_no_file_holds(clean: Path) -> None:
    found = finding(check(clean, classes={"liver": 6}), "a class of --classes is in no file")
    assert (found.severity, found.case) == ("error", "all")
    assert found.measured == "liver=6; the values found are 1, 2"


def test_a_scan_under_two_names_whatever_its_header_says(clean: Path) -> None:
    image = nib.load(clean / "images/c0.nii.gz")
    affine = image.affine.copy()
    affine[:3, 3] += 50
    affine[0] *= -1
    for name, array in (("copy_a", np.asarray(image.dataobj)), ("copy_b", np.asarray(image.dataobj, np.float32))):
        nib.save(nib.Nifti1Image(array, affine), clean / f"images/{name}.nii.gz")
    turned = nib.as_closest_canonical(image)
    nib.save(turned, clean / "images/turned.nii.gz")
    result = check(clean)
    twice = [one for one in result.findings if one.what == "the same scan twice"]
    assert {one.severity for one in twice} == {"error"}
    assert {name for one in twice for name in (one.case, *one.measured.split("as ")[1].split(", "))} == {
        "c0",
        "copy_a",
        "copy_b",
        "turned",
    }


def test_the_same_scan_with_other_labels(clean: Path) -> None:
    (clean / "images/c1.nii.gz").write_bytes((clean / "images/c0.nii.gz").read_bytes())
    edit(clean / "labels/c1.nii.gz", (0, 0, 0), 1)
    found = finding(check(clean), "the same scan twice")
    assert (found.case, found.measured) == ("c0", "the same voxels as c1, with other labels")


def test_the_same_labels_for_two_scans(tmp_path: Path) -> None:
    root = write_clean_set(tmp_path / "set")
    (root / "labels/c2.nii.gz").write_bytes((root / "labels/c0.nii.gz").read_bytes())
    found = finding(check(root), "the same labels for two scans")
    assert (found.severity, found.case, found.measured) == ("warning", "c0", "the same as those of c2")


def test_a_patient_in_two_parts(tmp_path: Path) -> None:
    for n, part in enumerate(("train", "train", "test")):
        write_clean_case(tmp_path / f"{part}/images/sub-{n % 2}_{n}.nii.gz", None, n)
    found = finding(check(tmp_path), "a patient in two parts")
    assert found.severity == "error"
    assert "test, train" in found.measured


def test_the_same_content_in_two_parts(tmp_path: Path) -> None:
    for n, part in enumerate(("Tr", "Tr", "Ts")):
        write_clean_case(tmp_path / f"images{part}/c{n}_0000.nii.gz", None, n % 2)
    (tmp_path / "dataset.json").write_text(json.dumps({"channel_names": {"0": "CT"}, "labels": {}}))
    result = check(tmp_path)
    found = finding(result, "the same scan twice")
    assert (found.severity, found.measured) == ("error", "the same voxels as imagesTs/c2, in test and train")
    assert (result.n_cases, result.n_test_cases) == (2, 1)


def test_a_case_that_is_trained_on_and_validated(clean: Path) -> None:
    clean.joinpath("images").rename(clean / "imagesTr")
    clean.joinpath("labels").rename(clean / "labelsTr")
    for path in clean.glob("imagesTr/*"):
        path.rename(path.with_name(path.name.replace(".nii", "_0000.nii")))
    document = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "a": 1, "b": 2}}
    (clean / "dataset.json").write_text(json.dumps(document))
    names = [f"c{n}" for n in range(5)]
    (clean / "splits_final.json").write_text(json.dumps([{"train": names[:3], "val": names[3:]}]))
    assert check(clean).findings == ()
    (clean / "splits_final.json").write_text(json.dumps([{"train": names[:3], "val": names[2:]}]))
    found = finding(check(clean), "a case in two parts")
    assert (found.severity, found.case) == ("error", "c2")


def test_files_that_belong_to_nothing(clean: Path) -> None:
    (clean / "labels/c3.nii.gz").rename(clean / "labels/c03.nii.gz")
    result = check(clean)
    found = finding(result, "labels of no scan")
    assert (found.severity, found.case) == ("warning", "labels/c03.nii.gz")
    assert found.remedy == "does it belong to c3, which has no labels? then rename it"


def test_listed_files_that_are_not_there(clean: Path) -> None:
    training = [{"image": f"images/c{n}.nii.gz", "label": f"labels/c{n}.nii.gz"} for n in range(5)]
    (clean / "list.json").write_text(json.dumps({"training": training}))
    assert check(clean / "list.json").findings == ()
    (clean / "labels/c4.nii.gz").unlink()
    found = finding(check(clean / "list.json"), "a listed file is not there")
    assert (found.severity, found.case, found.measured) == ("error", "c4.nii.gz", "labels/c4.nii.gz")


def test_names_that_contradict_each_other_are_a_finding_and_scans_are_still_read(tmp_path: Path) -> None:
    write_clean_case(tmp_path / "c_ct.nii.gz", tmp_path / "c_seg.nii.gz", 0)
    (tmp_path / "c_mask.nii.gz").write_bytes((tmp_path / "c_seg.nii.gz").read_bytes())
    (tmp_path / "d_ct.nii.gz").write_bytes(b"")
    result = check(tmp_path)
    assert "go by one name" in finding(result, "scans and labels cannot be told").measured
    assert finding(result, "scan cannot be read").case == "d_ct.nii.gz"


@pytest.mark.parametrize(
    ("of_array", "what", "severity", "words"),
    [
        (lambda a: np.full_like(a, 40), "a constant image", "error", "every voxel is 40"),
        (lambda a: np.clip(a, -160, 240), "CT that was clipped to a window", "warning", "-160 to 240"),
        (
            lambda a: np.round(np.clip((a + 160) / 400, 0, 1) * 50) * 8 - 160,
            "CT that was stored in 8 bits",
            "warning",
            "51 different values",
        ),
        (
            lambda a: np.digitize(a, [-500, 0, 100]),
            "a scan that looks like labels",
            "warning",
            "4 different values",
        ),
        (lambda a: a + 1024, "CT without Hounsfield units", "error", "slope and intercept"),
        (lambda a: a - 700 * (np.indices(a.shape)[0] < 8), "CT darker than air", "warning", "below -1100"),
        (lambda a: np.where(a > 150, 40000, a), "CT brighter than metal", "warning", "up to 40000"),
        (
            lambda a: np.where(np.indices(a.shape)[0] == 0, np.nan, a),
            "scan cannot be read",
            "error",
            "NaN",
        ),
    ],
)
def test_intensities_of_ct(
    clean: Path, of_array: Callable[..., np.ndarray], what: str, severity: str, words: str
) -> None:
    change(clean / "images/c2.nii.gz", lambda array: of_array(array.astype(np.float32)).astype(np.float32))
    found = finding(check(clean, modality="ct"), what)
    assert (found.severity, found.case) == (severity, "c2")
    assert words in found.measured


def test_padding_outside_of_the_field_of_view_is_no_finding(clean: Path) -> None:
    edit(clean / "images/c2.nii.gz", slice(0, 2), -2000)
    assert check(clean).findings == ()


def test_a_few_voxels_that_are_no_number(clean: Path) -> None:
    def put(array: np.ndarray) -> np.ndarray:
        array = array.astype(np.float32)
        array[0, 0, :3] = np.nan
        return array

    change(clean / "images/c2.nii.gz", put)
    found = finding(check(clean), "voxels that are no number")
    assert (found.severity, found.case) == ("warning", "c2")


def test_modalities_mixed_in_a_set(clean: Path) -> None:
    write_clean_case(clean / "images/m.nii.gz", None, 9, "mr")
    found = finding(check(clean), "another modality than the others")
    assert (found.severity, found.case) == ("error", "m")
    assert "most are ct" in found.measured
    assert not [one for one in check(clean, modality="mr").findings if one.what == found.what]


def test_mr_with_negative_values(tmp_path: Path) -> None:
    root = write_clean_set(tmp_path / "mr", "mr")
    change(root / "images/c1.nii.gz", lambda array: (array.astype(np.float32) - 300) / 200)
    found = finding(check(root, modality="mr"), "MR with negative values")
    assert (found.severity, found.case) == ("warning", "c1")
    assert finding(check(root), "it does not tell what it is").case == "c1"


def write_pictures(folder: Path, n: int = 6) -> Path:
    """Bright bodies on dark ground, as in X-rays."""
    folder.mkdir(parents=True)
    for number in range(n):
        rows, columns = np.indices((64, 80))
        body = np.exp(-(((rows - 32) / 18) ** 2 + ((columns - 40) / 22) ** 2))
        noise = np.random.default_rng(number).integers(0, 20, body.shape)
        Image.fromarray((200 * body + noise).astype(np.uint8)).save(folder / f"x{number}.png")
    return folder


def test_a_picture_that_is_inverted(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "images")
    assert check(folder).findings == ()
    path = folder / "x2.png"
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)
    found = finding(check(folder), "the picture looks inverted")
    assert (found.severity, found.case) == ("warning", "x2")


def test_what_is_asked_must_make_sense(clean: Path) -> None:
    with pytest.raises(InputError, match="there is no file or folder"):
        check(clean / "absent")
    with pytest.raises(UsageError, match="no scan here is DICOM"):
        check(clean, series="1")
    with pytest.raises(UsageError, match="--modality must be one of"):
        check(clean, modality="pet")


@pytest.mark.parametrize(
    ("name", "modality", "whats"),
    [
        (
            "abdomen_ct",
            "ct",
            {"a class is missing", "CT that was clipped to a window", "CT that was stored in 8 bits"},
        ),
        ("abdomen_mr", "mr", set()),
        ("cardiac_mr", "mr", set()),
        ("brain_hippocampus", "mr", set()),
        ("cxr_jsrt", "xray", set()),
        ("cxr_shenzhen", "xray", set()),
        ("abdomen_ct_raw_hu", "ct", set()),
    ],
)
def test_real_sets_have_no_false_finding(
    real_scans: Callable[[str], Path], name: str, modality: str, whats: set[str]
) -> None:
    result = check(real_scans(name))
    assert (result.n_errors, result.modality) == (0, modality)
    assert {one.what for one in result.findings} == whats
