"""NIfTI: odd headers, odd values, labels in the place of their scan."""

import gzip
import shutil

import nibabel as nib
import numpy as np
import pytest

from medsegan.errors import DataError, InputError
from medsegan.geometry import Grid, axis_codes, reorientation_to
from medsegan.imaging import LabelVolume, Volume, read_label, read_volume, write_label, write_volume

AFFINE = np.array([[-0.8, 0.1, 0, 90.5], [0.1, 0.8, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1]])


def save(array, path, affine=AFFINE, **fields):
    image = nib.Nifti1Image(array, affine)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scan.nii.gz"


@pytest.fixture
def array():
    return np.arange(6 * 7 * 8, dtype=np.int16).reshape(6, 7, 8) - 100


def test_integers_stay_integers(array, path):
    volume = read_volume(save(array, path))
    assert volume.array.dtype == np.int16
    assert np.array_equal(volume.array, array)
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)
    assert volume.notes == ()


def test_slope_and_intercept_are_applied(array, path):
    image = nib.Nifti1Image(array, AFFINE)
    image.header.set_slope_inter(2.0, -1024.0)
    nib.save(image, path)
    stored = read_volume(path)
    assert stored.array.dtype == np.float32
    np.testing.assert_allclose(stored.array, nib.load(path).get_fdata(), atol=1e-3)


def test_the_sform_wins_and_the_conflict_is_told(array, path):
    image = nib.Nifti1Image(array, AFFINE)
    other = AFFINE.copy()
    other[0, 3] += 20
    image.set_sform(AFFINE, code=2)
    image.set_qform(other, code=1)
    nib.save(image, path)
    volume = read_volume(path)
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)
    assert volume.notes == ("qform and sform differ by up to 20 mm; the sform was taken",)


def test_both_codes_zero_are_told(array, path):
    image = nib.Nifti1Image(array, None)
    image.header.set_zooms((0.8, 0.8, 2.5))
    image.header["qform_code"] = image.header["sform_code"] = 0
    nib.save(image, path)
    volume = read_volume(path)
    assert "codes are 0" in volume.notes[0]
    assert volume.grid.world_from_voxel[:3, 3] == pytest.approx([2.0, -2.4, -8.75])


def test_spacing_comes_from_the_affine_not_from_pixdim(array, path):
    image = nib.Nifti1Image(array, np.diag([0.8, 0.8, 2.5, 1]))
    image.header["pixdim"][1:4] = 1.0
    image.header["qform_code"] = 0
    nib.save(nib.Nifti1Image(array, None, image.header), path)
    assert read_volume(path).grid.spacing_mm == pytest.approx((0.8, 0.8, 2.5))


@pytest.mark.parametrize(("unit", "scale"), [(1, 1000.0), (3, 0.001), (2, 1.0), (0, 1.0)])
def test_units_become_millimetres(array, path, unit, scale):
    affine = np.diag([0.8, 0.8, 2.5, 1]) / scale
    affine[3, 3] = 1
    volume = read_volume(save(array, path, affine, xyzt_units=unit))
    assert volume.grid.spacing_mm == pytest.approx((0.8, 0.8, 2.5))
    assert bool(volume.notes) == (scale != 1.0)


@pytest.mark.parametrize(("unit", "scale"), [(1, 1000.0), (3, 0.001)])
def test_both_forms_and_labels_of_a_scan_are_in_its_units(array, path, unit, scale):
    affine = AFFINE / scale
    affine[3, 3] = 1
    image = nib.Nifti1Image(array, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header["xyzt_units"] = unit
    nib.save(image, path)
    volume = read_volume(path)
    assert len(volume.notes) == 1
    assert "multiplied by" in volume.notes[0]
    label = LabelVolume((array > 50).astype(np.uint8), volume.grid)
    write_label(label, path.with_name("label.nii.gz"), like=path)
    assert int(nib.load(path.with_name("label.nii.gz")).header["xyzt_units"]) == unit
    assert np.array_equal(read_label(path.with_name("label.nii.gz")).grid.corners_mm, volume.grid.corners_mm)


@pytest.mark.parametrize(("shear", "noted"), [(2e-4, False), (0.01, True)])
def test_a_small_shear_is_kept(array, path, shear, noted):
    affine = AFFINE.copy()
    affine[:3, 2] += affine[:3, 0] * shear * 2.5 / np.linalg.norm(affine[:3, 0])
    volume = read_volume(save(array, path, affine))
    np.testing.assert_allclose(volume.grid.world_from_voxel, affine, atol=1e-5)
    assert bool(volume.notes) == noted


def test_a_large_shear_is_straightened_with_its_angle(array, path):
    affine = np.diag([1.0, 1.0, 2.5, 1.0])
    affine[1, 2] = 2.5 * np.tan(np.radians(15))
    volume = read_volume(save(array, path, affine))
    assert "15.00 degrees" in volume.notes[0]
    assert "resampled onto a straight grid" in volume.notes[0]
    linear = volume.grid.world_from_voxel[:3, :3]
    np.testing.assert_allclose(linear, np.diag([1, 1, 2.5]), atol=1e-6)


def test_trailing_axes_of_one_are_dropped(array, path):
    assert read_volume(save(array[..., None, None], path)).array.shape == (6, 7, 8)


@pytest.mark.parametrize("shape", [(6, 7, 8, 2), (6, 7, 8, 1, 3), (6,)])
def test_what_is_no_single_volume_is_refused(path, shape):
    with pytest.raises(DataError, match="expected 3"):
        read_volume(save(np.zeros(shape, np.int16), path))


def test_two_axes_are_one_slice(tmp_path):
    array = np.arange(42, dtype=np.int16).reshape(6, 7)
    volume = read_volume(save(array, tmp_path / "flat.nii"))
    assert np.array_equal(volume.array, array[..., None])
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)
    assert "two axes" in volume.notes[0]
    write_label(LabelVolume(volume.array, volume.grid), tmp_path / "label.nii", like=tmp_path / "flat.nii")
    before, after = nib.load(tmp_path / "flat.nii"), nib.load(tmp_path / "label.nii")
    assert np.array_equal(before.affine, after.affine)
    assert np.array_equal(after.dataobj, array)


@pytest.mark.parametrize("image_type", [nib.Nifti1Pair, nib.Nifti2Pair, nib.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pairs_nifti2_and_big_endian(array, tmp_path, image_type, order):
    image = image_type(array, AFFINE, image_type.header_class(endianness=order))
    name = "scan.hdr" if "Pair" in image_type.__name__ else "scan.nii"
    nib.save(image, tmp_path / name)
    volume = read_volume(tmp_path / name)
    assert np.array_equal(volume.array, array)
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)


def test_half_a_pair_is_refused(array, tmp_path):
    nib.save(nib.Nifti1Pair(array, AFFINE), tmp_path / "scan.hdr")
    (tmp_path / "scan.img").unlink()
    with pytest.raises(InputError, match="pair"):
        read_volume(tmp_path / "scan.hdr")


def test_both_codes_one_but_different_takes_the_sform(array, path):
    image = nib.Nifti1Image(array, AFFINE)
    other = AFFINE.copy()
    other[1, 3] -= 7
    image.set_sform(AFFINE, code=1)
    image.set_qform(other, code=1)
    nib.save(image, path)
    volume = read_volume(path)
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)
    assert volume.notes == ("qform and sform differ by up to 7 mm; the sform was taken",)


def test_a_repetition_time_is_no_spacing(array, path):
    image = nib.Nifti1Image(array[..., None], AFFINE)
    image.header.set_zooms((*image.header.get_zooms()[:3], 1.7))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    volume = read_volume(path)
    np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)
    assert volume.notes == ()


def test_wide_integers_keep_their_values(path):
    wide = np.arange(24, dtype=np.int64).reshape(2, 3, 4) * 3000
    nib.save(nib.Nifti1Image(wide, AFFINE, dtype=np.int64), path)
    volume = read_volume(path)
    assert volume.array.dtype == np.float32
    assert np.array_equal(volume.array, wide)


@pytest.mark.parametrize("kind", [[("R", "u1"), ("G", "u1"), ("B", "u1")], np.complex64])
def test_flat_colours_and_complex_numbers_are_refused(path, kind):
    with pytest.raises(DataError, match="plain numbers"):
        read_volume(save(np.zeros((4, 4), dtype=kind), path))


def test_colour_is_refused(path):
    colours = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(DataError, match="plain numbers"):
        read_volume(save(colours, path))


def test_few_nan_are_filled_and_told_many_refused(path):
    array = np.random.default_rng(0).normal(100, 5, (20, 20, 20)).astype(np.float32)
    array[3, 4, :5] = np.nan
    volume = read_volume(save(array, path))
    assert volume.array[3, 4, 0] == np.nanmin(array)
    assert "5 voxels" in volume.notes[0]
    array[0] = np.inf
    with pytest.raises(DataError, match="NaN or infinite"):
        read_volume(save(array, path))


def test_the_name_may_lie_about_compression(array, tmp_path):
    packed = save(array, tmp_path / "a.nii.gz")
    shutil.copy(packed, tmp_path / "b.nii")
    (tmp_path / "c.nii.gz").write_bytes(gzip.decompress(packed.read_bytes()))
    for name in ("b.nii", "c.nii.gz"):
        assert np.array_equal(read_volume(tmp_path / name).array, array)


def test_damaged_absent_and_foreign_files(array, path, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_volume(path)
    save(np.random.default_rng(0).integers(0, 999, (40, 40, 40)).astype(np.int16), path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="damaged or cut off"):
        read_volume(path)
    path.write_bytes(b"no image at all")
    with pytest.raises(InputError, match="no readable NIfTI"):
        read_volume(path)
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(InputError, match="no format"):
        read_volume(tmp_path / "a.txt")


def test_labels_stored_as_floats(path):
    labels = np.zeros((5, 5, 5))
    labels[2] = [0, 200.0004, 499.9996, 600, 0]
    read = read_label(save(labels, path))
    assert read.array.dtype == np.uint16
    assert set(np.unique(read.array)) == {0, 200, 500, 600}


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((3, 3, 3), 0.5), "no integers"),
        (np.full((3, 3, 3), -1, np.int16), "-1"),
        (np.full((3, 3, 3), 70_000, np.int32), "70000"),
        (np.full((3, 3, 3), np.nan), "NaN"),
        (np.arange(256 * 4, dtype=np.int16).reshape(16, 16, 4) % 256, "soft mask"),
    ],
)
def test_what_are_no_labels_is_refused(path, array, message):
    with pytest.raises(DataError, match=message):
        read_label(save(array, path))


@pytest.mark.parametrize(("q_code", "s_code"), [(1, 1), (1, 0), (0, 2), (1, 2), (0, 0), (4, 4)])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_a_label_takes_over_the_place_of_its_scan_to_the_last_bit(array, tmp_path, q_code, s_code, suffix):
    image = nib.Nifti1Image(array, AFFINE)
    image.set_sform(AFFINE, code=s_code)
    image.set_qform(AFFINE, code=q_code)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "scan.nii")
    volume = read_volume(tmp_path / "scan.nii")
    label = LabelVolume((array > 50).astype(np.int64) * 3, volume.grid)
    write_label(label, tmp_path / f"label{suffix}", like=tmp_path / "scan.nii")
    before, after = nib.load(tmp_path / "scan.nii"), nib.load(tmp_path / f"label{suffix}")
    assert np.array_equal(before.affine, after.affine)
    for name in ("qform_code", "sform_code", "pixdim", "srow_x", "quatern_b", "qoffset_x", "xyzt_units"):
        keep = slice(0, 4) if name == "pixdim" else slice(None)
        before_field, after_field = np.atleast_1d(before.header[name]), np.atleast_1d(after.header[name])
        assert np.array_equal(before_field[keep], after_field[keep]), name
    assert after.get_data_dtype() == np.uint8
    assert np.array_equal(read_label(tmp_path / f"label{suffix}").array, label.array)


def test_without_a_scan_both_forms_agree(array, path):
    write_volume(Volume(array, Grid(array.shape, AFFINE)), path)
    header = nib.load(path).header
    assert int(header["qform_code"]) == int(header["sform_code"]) == 1
    np.testing.assert_allclose(header.get_qform(), header.get_sform(), atol=1e-4)


def test_a_scan_on_another_grid_gives_nothing_away(array, tmp_path):
    save(array, tmp_path / "scan.nii.gz")
    grid = Grid(array.shape, np.diag([2.0, 2.0, 2.0, 1.0]))
    write_label(
        LabelVolume(array.astype(np.uint16) * 0, grid), tmp_path / "m.nii.gz", like=tmp_path / "scan.nii.gz"
    )
    np.testing.assert_allclose(read_label(tmp_path / "m.nii.gz").grid.world_from_voxel, grid.world_from_voxel)


def test_all_48_orders_of_axes_are_one_image(real_scans):
    paths = sorted((real_scans("awkward") / "nifti_48_orientations").glob("*.nii.gz"))
    assert len(paths) == 48
    reference = None
    for path in paths:
        volume = read_volume(path)
        assert axis_codes(volume.grid) == path.name[:3]
        change = reorientation_to(volume.grid, "RAS")
        canonical, grid = change.apply(volume.array), change.grid(volume.grid)
        if reference is None:
            reference = canonical.copy(), grid
        assert np.array_equal(canonical, reference[0]), path.name
        assert reference[1].corner_distance_voxels(grid) < 0.01, path.name


@pytest.mark.parametrize(
    ("name", "shape", "codes"),
    [
        ("big.nii.gz", (64, 64, 21), "LAS"),
        ("little.nii.gz", (64, 64, 21), "LAS"),
        ("avg152T1_LR_nifti.nii.gz", (91, 109, 91), "LAS"),
        ("avg152T1_LR_nifti2.nii.gz", (91, 109, 91), "LAS"),
        ("air.hdr.gz", (79, 67, 64), "AIR"),
        ("air2.img.gz", (79, 67, 64), "AIR"),
        ("with_extension.nii.gz", (161, 191, 151), "LPI"),
    ],
)
def test_odd_headers(real_scans, name, shape, codes):
    volume = read_volume(real_scans("awkward") / "nifti_headers" / name)
    assert volume.array.shape == shape
    assert axis_codes(volume.grid) == codes


@pytest.mark.parametrize(("name", "error"), [("5D_small.nii", DataError), ("not-nifti.nii", InputError)])
def test_odd_files_are_refused(real_scans, name, error):
    with pytest.raises(error, match=name):
        read_volume(real_scans("awkward") / "nifti_headers" / name)
