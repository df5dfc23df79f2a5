"""On series that are no traps other readers say the same."""

import subprocess
from pathlib import Path

import dcm2niix
import highdicom
import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from medsegan.imaging import Volume, read_series
from medsegan.imaging.lps import RAS_FROM_LPS

CLOSE_MM = 1e-4
VOXELS = ((0, 0, 0), (31, 39, 11), (7, 20, 3), (31, 0, 6))


def along(slices, along_row, along_column, **changes):
    """A stack along the normal of its directions."""
    specs = slices.stack(along_row=along_row, along_column=along_column, **changes)
    for index, spec in enumerate(specs):
        spec.position = slices.origin + 2.5 * index * np.cross(along_row, along_column)
    return specs


def scaled_each(slices):
    specs = slices.stack()
    for index, spec in enumerate(specs):
        spec.slope = 0.5 + 0.25 * (index % 3)
    return specs


def tilted_a_little(slices):
    """Two turns; the numbers are as short as scanners write them."""
    row = np.array([0.96, 0.28, 0.0])
    column = np.cross([0.0, 0.6, 0.8] - (np.array([0.0, 0.6, 0.8]) @ row) * row, row)
    return along(slices, tuple(row), tuple(column / np.linalg.norm(column)))


PLAIN = {
    "clean": lambda s: s.stack(),
    "oblong pixels": lambda s: s.stack(pixel_spacing=(0.6, 1.1)),
    "columns backwards": lambda s: s.stack(along_column=(0.0, -1.0, 0.0)),
    "sagittal": lambda s: along(s, (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "coronal": lambda s: along(s, (1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "feet first, prone": lambda s: along(s, (1.0, 0.0, 0.0), (0.0, -1.0, 0.0)),
    "oblique": lambda s: along(s, (1.0, 0.0, 0.0), (0.0, 0.8, 0.6)),
    "doubly oblique": tilted_a_little,
    "signed": lambda s: s.stack(signed=True, intercept=0.0),
    "a slope": lambda s: s.stack(slope=0.5),
    "a slope of its own for each slice": scaled_each,
    "run length": lambda s: s.stack(rle=True),
    "thick": lambda s: s.stack(tags={"SliceThickness": 5.0}),
    "descending": lambda s: s.stack()[::-1],
}


def at_lps(volume: Volume, voxel: tuple[int, ...]) -> np.ndarray:
    return RAS_FROM_LPS[:3, :3] @ (volume.grid.world_from_voxel @ [*voxel, 1])[:3]


@pytest.mark.parametrize("name", PLAIN)
def test_simpleitk_agrees(slices, write_specs, name):
    folder = write_specs(PLAIN[name](slices))
    ours = read_series(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    theirs = reader.Execute()
    assert ours.grid.spacing_mm == pytest.approx(theirs.GetSpacing())
    for voxel in VOXELS:
        index = theirs.TransformPhysicalPointToIndex(at_lps(ours, voxel).tolist())
        assert at_lps(ours, voxel) == pytest.approx(theirs.TransformIndexToPhysicalPoint(index), abs=CLOSE_MM)
        assert ours.array[voxel] == pytest.approx(theirs[index])


@pytest.mark.parametrize("name", PLAIN)
def test_highdicom_agrees(slices, write_specs, name):
    folder = write_specs(PLAIN[name](slices))
    ours = read_series(folder)
    theirs = highdicom.get_volume_from_series([pydicom.dcmread(path) for path in sorted(folder.iterdir())])
    matched = highdicom.Volume(
        np.transpose(ours.array, (2, 1, 0)),
        (RAS_FROM_LPS @ ours.grid.world_from_voxel)[:, [2, 1, 0, 3]],
        coordinate_system="PATIENT",
    ).match_geometry(theirs, tol=CLOSE_MM)
    assert np.abs(matched.affine - theirs.affine).max() <= CLOSE_MM
    assert matched.array == pytest.approx(theirs.array, abs=1e-3)


def converted(folder: Path, target: Path) -> nibabel.Nifti1Image:
    """The single volume that dcm2niix makes of a folder, in its own order of axes."""
    target.mkdir()
    command = [dcm2niix.bin, "-f", "one", "-z", "n", "-b", "n", "-o", str(target), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    (path,) = target.glob("*.nii")
    return nibabel.load(path)


@pytest.mark.parametrize("name", PLAIN)
def test_dcm2niix_agrees(slices, write_specs, tmp_path, name):
    folder = write_specs(PLAIN[name](slices))
    ours, theirs = read_series(folder), converted(folder, tmp_path / "nii")
    voxels = np.linalg.solve(theirs.affine, ours.grid.world_from_voxel)
    whole = np.rint(voxels)
    assert np.abs(theirs.affine @ (whole - voxels) @ [31, 39, 11, 1])[:3].max() <= CLOSE_MM
    indices = np.indices(ours.array.shape).reshape(3, -1)
    at = (whole @ np.vstack([indices, np.ones(indices.shape[1])]))[:3].astype(int)
    assert np.array_equal(sorted(theirs.shape), sorted(ours.array.shape))
    assert theirs.get_fdata()[tuple(at)] == pytest.approx(ours.array.ravel(), abs=1)
