"""What `medsegan convert` keeps: the place of voxels to the last bit, and names to itself."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from label_scenes import oblique_grid, write_scan

from medsegan_cli import main

Captured = pytest.CaptureFixture[str]


def convert(*arguments: object) -> int:
    """The exit code of one call."""
    return main.run(["convert", *map(str, arguments)])


def test_an_error_names_no_file_that_was_not_named(tmp_path: Path, capsys: Captured) -> None:
    folder = write_scan(tmp_path / "study" / "DOE_JANE_19700101", oblique_grid())
    torn = sorted(folder.iterdir())[2].rename(folder / "DOE_JANE_3.dcm")
    torn.write_bytes(torn.read_bytes()[:-300])
    assert convert(tmp_path / "study", tmp_path / "scan.nii.gz") == 3
    said = capsys.readouterr().err
    assert "DOE" not in said
    assert "19700101" not in said
    assert "cut off" in said
    assert main.run(["-v", "convert", str(tmp_path / "study"), str(tmp_path / "scan.nii.gz")]) == 3
    assert str(torn) in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["--mask", "--scan"])
def test_sheared_voxels_stay_where_they_are(tmp_path: Path, kind: str) -> None:
    affine = np.diag([0.8, 1.2, 3.0, 1.0])
    affine[1, 2] = 0.9  # 17 degrees, as a tilted gantry leaves it
    array = np.random.default_rng(0).integers(0, 4, (6, 7, 5)).astype(np.uint8)
    nib.save(nib.Nifti1Image(array, affine), tmp_path / "sheared.nii.gz")
    assert convert(tmp_path / "sheared.nii.gz", tmp_path / "out.nii.gz", kind) == 0
    written = nib.load(tmp_path / "out.nii.gz")
    assert np.array_equal(np.asanyarray(written.dataobj), array)
    assert np.array_equal(written.affine, nib.load(tmp_path / "sheared.nii.gz").affine)


@pytest.mark.parametrize("kind", ["--mask", "--scan"])
def test_the_header_is_kept_whichever_half_of_a_pair_is_named(tmp_path: Path, kind: str) -> None:
    image = nib.Nifti1Pair(np.zeros((4, 5, 6), np.int16), np.diag([-0.7, 0.8, 2.5, 1.0]))
    image.header.set_qform(image.affine, code=3)
    image.header.set_sform(image.affine, code=4)
    nib.save(image, tmp_path / "pair.img")
    for half in ("pair.hdr", "pair.img"):
        assert convert(tmp_path / half, tmp_path / "out.nii", kind, "--overwrite") == 0
        header = nib.load(tmp_path / "out.nii").header
        assert (int(header["qform_code"]), int(header["sform_code"])) == (3, 4)
