"""Files with sheared axes: kept where that is less than half a voxel, else resampled, scan and labels alike."""

import nibabel as nib
import numpy as np
import pytest

from medsegan.errors import DataError
from medsegan.geometry import Grid
from medsegan.imaging import align_label, read_label, read_volume, write_label


def save(array, path, affine):
    nib.save(nib.Nifti1Image(array, affine), path)
    return path


SHAPE = (40, 36, 20)
PLANE = np.array([2.0, 3.0, 1.5])


def affine_with(shear, along=1, of=2):
    affine = np.diag([-0.8, 0.9, 2.5, 1.0])
    affine[:3, 3] = [90.5, -12, -72]
    affine[:3, of] += affine[:3, along] / np.linalg.norm(affine[:3, along]) * shear * 2.5
    return affine


def world_of(grid):
    indices = np.stack([*np.indices(grid.shape), np.ones(grid.shape)], axis=-1)
    return (indices @ grid.world_from_voxel.T)[..., :3]


def phantom(affine):
    """Values that follow from the place, and a box of labels in the patient."""
    world = world_of(Grid(SHAPE, affine))
    centre = world.reshape(-1, 3).mean(axis=0)
    box = (np.abs(world - centre) < [8, 7, 12]).all(axis=-1)
    return np.rint(world @ PLANE).astype(np.int16), box.astype(np.uint8) * 3, centre


@pytest.mark.parametrize("shear", [0.06, 0.15, -0.268, 0.577])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_a_large_shear_is_resampled_to_the_right_places(tmp_path, shear, suffix):
    affine = affine_with(shear)
    values, labels, centre = phantom(affine)
    scan, mask = (tmp_path / f"{name}{suffix}" for name in ("scan", "mask"))
    for array, path in ((values, scan), (labels, mask)):
        if suffix == ".nrrd":
            write_sheared_nrrd(array, affine, path)
        else:
            save(array, path, affine)
    volume, label = read_volume(scan), read_label(mask)
    assert "resampled onto a straight grid" in volume.notes[-1]
    assert f"{np.degrees(np.arctan(abs(shear))):.2f} degrees" in volume.notes[-1]
    assert volume.array.dtype == np.int16
    inside = volume.array != values.min()
    off = np.abs(volume.array - world_of(volume.grid) @ PLANE)
    assert np.quantile(off[inside], 0.98) <= 1.5
    assert inside.mean() > 0.5
    aligned, note = align_label(label, volume.grid)
    assert note is None
    found = world_of(volume.grid)[aligned.array == 3]
    assert np.linalg.norm(found.mean(axis=0) - centre) < 0.4
    assert aligned.array.astype(bool).sum() * volume.grid.voxel_ml == pytest.approx(
        labels.astype(bool).sum() * abs(np.linalg.det(affine[:3, :3])) / 1000, rel=0.05
    )


def write_sheared_nrrd(array, affine, path):
    directions = " ".join(f"({x:.9g},{y:.9g},{z:.9g})" for x, y, z in affine[:3, :3].T)
    origin = ",".join(f"{number:.9g}" for number in affine[:3, 3])
    kind = "short" if array.dtype == np.int16 else "uchar"
    header = (
        f"NRRD0004\ntype: {kind}\ndimension: 3\nspace: RAS\nsizes: {' '.join(str(n) for n in array.shape)}\n"
        f"space directions: {directions}\nendian: little\nencoding: raw\nspace origin: ({origin})\n\n"
    )
    path.write_bytes(header.encode() + array.tobytes(order="F"))


@pytest.mark.parametrize(("shear", "n_notes"), [(1e-5, 0), (0.01, 1)])
def test_a_small_shear_is_kept_to_the_last_bit_in_the_mask(tmp_path, shear, n_notes):
    affine = affine_with(shear)
    values, labels, _ = phantom(affine)
    scan = save(values, tmp_path / "scan.nii.gz", affine)
    volume = read_volume(scan)
    assert len(volume.notes) == n_notes
    assert all("kept as they are" in note for note in volume.notes)
    assert np.array_equal(volume.array, values)
    label = read_label(save(labels, tmp_path / "mask.nii.gz", affine))
    write_label(label, tmp_path / "out.nii.gz", like=scan)
    assert np.array_equal(nib.load(tmp_path / "out.nii.gz").affine, nib.load(scan).affine)


def test_labels_in_the_place_of_another_scan_stay_refused(tmp_path):
    values, labels, _ = phantom(affine_with(0.2))
    volume = read_volume(save(values, tmp_path / "scan.nii.gz", affine_with(0.2)))
    label = read_label(save(labels, tmp_path / "mask.nii.gz", affine_with(0.0)))
    with pytest.raises(DataError, match="do not lie in the same place"):
        align_label(label, volume.grid)


def test_a_shear_that_no_gantry_makes_is_refused(tmp_path):
    values, _, _ = phantom(affine_with(1.2))
    with pytest.raises(DataError, match="at most 40 are straightened"):
        read_volume(save(values, tmp_path / "scan.nii.gz", affine_with(1.2)))
