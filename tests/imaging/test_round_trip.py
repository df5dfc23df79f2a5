"""What is written comes back: every format, every kind of number."""

import filecmp

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy.spatial.transform import Rotation

from medsegan.errors import DataError, InputError, UsageError
from medsegan.geometry import Grid, compare_grids
from medsegan.imaging import (
    LabelVolume,
    Volume,
    read_label,
    read_series,
    read_volume,
    require_writable,
    write_label,
    write_series,
    write_volume,
)

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


@pytest.fixture
def grid():
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [12, -20, 33], degrees=True).as_matrix() * [0.71, 0.83, 2.5]
    affine[:3, :3] = affine[:3, [1, 0, 2]]
    affine[:3, 3] = [-101.123456, 87.7, 1033.3]
    return Grid((9, 11, 6), affine)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ["int16", "float32", "int32", "uint8", "float64"])
def test_volumes(tmp_path, grid, suffix, kind):
    array = np.random.default_rng(2).uniform(0, 250, grid.shape).astype(kind)
    write_volume(Volume(array, grid), tmp_path / f"v{suffix}")
    back = read_volume(tmp_path / f"v{suffix}")
    assert back.array.dtype == (np.float32 if kind.startswith("float") else np.int16)
    np.testing.assert_array_equal(back.array, array.astype(back.array.dtype))
    assert compare_grids(grid, back.grid).distance_mm < 2e-4
    assert [path.name for path in tmp_path.iterdir()] == [f"v{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("top", "kind"), [(13, np.uint8), (600, np.uint16)])
def test_labels(tmp_path, grid, suffix, top, kind):
    array = np.random.default_rng(2).choice([0, 1, top // 2, top], grid.shape)
    write_label(LabelVolume(array, grid), tmp_path / f"l{suffix}")
    back = read_label(tmp_path / f"l{suffix}")
    assert back.array.dtype == kind
    np.testing.assert_array_equal(back.array, array)
    assert compare_grids(grid, back.grid).distance_mm < 2e-4


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_simpleitk_sees_the_same_place(tmp_path, grid, suffix):
    write_volume(Volume(np.zeros(grid.shape, np.int16), grid), tmp_path / f"v{suffix}")
    image = sitk.ReadImage(str(tmp_path / f"v{suffix}"))
    far = np.array(image.TransformIndexToPhysicalPoint([8, 10, 5])) * [-1, -1, 1]
    np.testing.assert_allclose(far, grid.corners_mm[-1], atol=1e-3)


def test_the_same_content_gives_the_same_bytes(tmp_path, grid):
    volume = Volume(np.ones(grid.shape, np.int16), grid)
    write_volume(volume, tmp_path / "one.nii.gz")
    write_volume(volume, tmp_path / "two.nii.gz")
    assert filecmp.cmp(tmp_path / "one.nii.gz", tmp_path / "two.nii.gz", shallow=False)


def test_other_suffixes_are_refused_by_name(tmp_path, grid):
    with pytest.raises(UsageError, match=r"\.nii\.gz, \.nii, \.nrrd, \.mha"):
        write_volume(Volume(np.zeros(grid.shape), grid), tmp_path / "v.jpg")


def test_an_absent_folder_is_refused(tmp_path, grid):
    with pytest.raises(InputError, match="no such folder"):
        write_volume(Volume(np.zeros(grid.shape), grid), tmp_path / "absent" / "v.nii")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, grid):
    path = tmp_path / "v.nrrd"
    write_volume(Volume(np.ones(grid.shape, np.int16), grid), path)
    before = path.read_bytes()
    with pytest.raises(DataError, match="right angle"):
        write_volume(Volume(np.ones(grid.shape, np.int16), sheared(grid, 0.3)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_labels_out_of_range_are_refused(tmp_path, grid):
    with pytest.raises(DataError, match="between -1 and -1"):
        write_label(LabelVolume(np.full(grid.shape, -1), grid), tmp_path / "l.nii")


def sheared(grid, share):
    affine = np.array(grid.world_from_voxel)
    affine[:3, 2] += affine[:3, 0] * share
    return Grid(grid.shape, affine)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_shear_of_a_scan_that_is_read_can_be_written(tmp_path, grid, suffix):
    tilted = sheared(grid, 0.1)
    write_volume(Volume(np.ones(grid.shape, np.int16), tilted), tmp_path / f"v{suffix}")
    back = read_volume(tmp_path / f"v{suffix}").grid.world_from_voxel
    np.testing.assert_allclose(back, tilted.world_from_voxel, atol=1e-4)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_simpleitk_sees_the_same_shear(tmp_path, grid, suffix):
    tilted = sheared(grid, 0.1)
    write_volume(Volume(np.ones(grid.shape, np.int16), tilted), tmp_path / f"v{suffix}")
    image = sitk.ReadImage(str(tmp_path / f"v{suffix}"))
    far = np.array(image.TransformIndexToPhysicalPoint([8, 10, 5])) * [-1, -1, 1]
    np.testing.assert_allclose(far, tilted.corners_mm[-1], atol=1e-3)


def test_what_cannot_be_written_is_refused_before_the_work(tmp_path, grid):
    with pytest.raises(UsageError, match=r"\.nii\.gz, \.nii, \.nrrd, \.mha"):
        require_writable(tmp_path / "absent" / "v.jpg", grid)
    with pytest.raises(DataError, match="right angle"):
        require_writable(tmp_path / "absent" / "v.nrrd", sheared(grid, 0.3))
    for name in ("v.nrrd", "v.mha", "v.nii"):
        require_writable(tmp_path / "absent" / name, sheared(grid, 0.1))
    require_writable(tmp_path / "absent" / "v.nii.gz", sheared(grid, 0.3))


@pytest.mark.parametrize("name", ["v.nrrd", "v.mha"])
def test_damaged_files_are_refused(tmp_path, grid, name):
    array = np.random.default_rng(0).integers(0, 999, grid.shape).astype(np.int16)
    write_volume(Volume(array, grid), tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-400])
    with pytest.raises(InputError, match=name):
        read_volume(tmp_path / name)


def test_a_nrrd_without_space_is_told(tmp_path):
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 2 3 4\nendian: little\nencoding: raw\n\n"
    (tmp_path / "v.nrrd").write_bytes(header.encode() + bytes(2 * 2 * 3 * 4))
    assert "no space field" in read_volume(tmp_path / "v.nrrd").notes[0]


@pytest.mark.parametrize("modality", ["ct", "mr"])
def test_a_series_comes_back_exactly(tmp_path, grid, modality):
    low = -1024 if modality == "ct" else 0
    array = np.random.default_rng(4).integers(low, 2000, grid.shape).astype(np.int16)
    write_series(Volume(array, grid, modality), tmp_path / "s", seed_uid="case 0")
    back = read_series(tmp_path / "s")
    assert back.modality == modality
    assert back.array.dtype == np.int16
    assert back.notes == ()
    # This grid is left-handed: its slices come back in the opposite order, every voxel in its place.
    assert np.linalg.det(grid.world_from_voxel[:3, :3]) < 0
    np.testing.assert_allclose(back.grid.corners_mm.reshape(2, 2, 2, 3)[:, :, ::-1].reshape(8, 3), grid.corners_mm)
    assert np.array_equal(back.array[:, :, ::-1], array)


def test_floats_of_a_series_are_quantised_finely(tmp_path, grid):
    array = np.random.default_rng(4).uniform(0, 3.7, grid.shape).astype(np.float32)
    write_series(Volume(array, grid, "mr"), tmp_path / "s", seed_uid="x")
    back = read_series(tmp_path / "s").array[:, :, ::-1]
    assert np.abs(back - array).max() < 3.7 / 65535


def test_a_series_depends_on_its_seed_alone(tmp_path, grid):
    volume = Volume(np.zeros(grid.shape, np.int16), grid, "ct")
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        write_series(volume, tmp_path / name, seed_uid=seed)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 6
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", names, shallow=False)[0] == names
    assert filecmp.cmpfiles(tmp_path / "a", tmp_path / "c", names, shallow=False)[0] == []


def test_a_series_is_not_written_over_another(tmp_path, grid):
    volume = Volume(np.zeros(grid.shape, np.int16), grid, "ct")
    write_series(volume, tmp_path / "s", seed_uid="1")
    with pytest.raises(InputError, match="not an empty folder"):
        write_series(volume, tmp_path / "s", seed_uid="1")
    with pytest.raises(DataError, match="modality"):
        write_series(Volume(volume.array, grid), tmp_path / "t", seed_uid="1")
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_simpleitk_reads_our_series_at_the_same_place(tmp_path, grid):
    array = np.random.default_rng(4).integers(-1000, 2000, grid.shape).astype(np.int16)
    write_series(Volume(array, grid, "ct"), tmp_path / "s", seed_uid="case 0")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "s")))
    image = reader.Execute()
    at = image.TransformPhysicalPointToIndex((grid.corners_mm[-1] * [-1, -1, 1]).tolist())
    assert image[at] == array[-1, -1, -1]
