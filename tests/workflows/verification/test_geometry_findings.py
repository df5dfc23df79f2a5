"""Sizes and places of voxels that differ from the rest of a set are found, and nothing else is."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from verify_scenes import change, check, finding, write_clean_set


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """Five CT scans with labels."""
    return write_clean_set(tmp_path / "set")


def with_affine(path: Path, scale: tuple[float, float, float]) -> None:
    change(path, affine=nib.load(path).affine @ np.diag([*scale, 1]))


@pytest.mark.parametrize(
    ("scale", "what"),
    [
        ((1, 1, 6), "voxel size far from the others"),
        ((0.5, 0.5, 0.2), "voxel size of 1 mm"),
        ((0.001, 0.001, 0.001), "no size of a patient"),
        ((100, 100, 100), "no size of a patient"),
    ],
)
def test_sizes_of_voxels(clean: Path, scale: tuple[float, float, float], what: str) -> None:
    for kind in ("images", "labels"):
        with_affine(clean / f"{kind}/c2.nii.gz", scale)
    found = finding(check(clean), what)
    assert (found.severity, found.case) == ("warning", "c2")


def test_a_size_far_from_the_others(clean: Path) -> None:
    for kind in ("images", "labels"):
        change(clean / f"{kind}/c2.nii.gz", lambda array: array[:, :, 4:7])
    assert finding(check(clean), "size far from the others").case == "c2"


def test_a_single_slice_among_volumes(clean: Path) -> None:
    for kind in ("images", "labels"):
        change(clean / f"{kind}/c2.nii.gz", lambda array: array[:, :, 5:6])
    found = finding(check(clean), "a single slice among volumes")
    assert (found.severity, found.case, found.measured) == ("warning", "c2", "40 x 36 x 1 voxels")


def test_slices_across_those_of_the_others(clean: Path) -> None:
    turn = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    for kind in ("images", "labels"):
        change(clean / f"{kind}/c2.nii.gz", affine=turn @ nib.load(clean / f"{kind}/c2.nii.gz").affine)
    found = finding(check(clean), "acquired in another plane")
    assert (found.severity, found.case) == ("warning", "c2")
    assert found.measured == "coronal, 90 degrees across 4 axial others"


def test_shear_and_two_places_in_a_header(clean: Path) -> None:
    shear = np.eye(4)
    shear[0, 2] = 0.02
    for kind in ("images", "labels"):
        path = clean / f"{kind}/c1.nii.gz"
        change(path, affine=nib.load(path).affine @ shear)
        image = nib.load(clean / f"{kind}/c2.nii.gz")
        image.set_qform(image.affine @ np.diag([1, 1, 1.2, 1]), code=1)
        array = np.asarray(image.dataobj)
        nib.save(nib.Nifti1Image(array, None, image.header), clean / f"{kind}/c2.nii.gz")
    result = check(clean)
    assert finding(result, "sheared voxels").case == "c1"
    assert finding(result, "two places in one header").case == "c2"
