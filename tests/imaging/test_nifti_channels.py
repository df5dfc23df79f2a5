"""One volume of a NIfTI file with several."""

import nibabel as nib
import numpy as np
import pytest

from medsegan.errors import DataError, UsageError
from medsegan.imaging import LabelVolume, read_volume, write_label, write_volume

AFFINE = np.array([[-0.8, 0.1, 0, 90.5], [0.1, 0.8, 0, -126], [0, 0, 2.5, -72], [0, 0, 0, 1]])
ARRAY = np.arange(6 * 7 * 8 * 3, dtype=np.int16).reshape(6, 7, 8, 3)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("shape", [(6, 7, 8, 3), (6, 7, 8, 1, 3)])
def test_each_volume_is_read_by_its_number(tmp_path, suffix, shape):
    path = tmp_path / f"four{suffix}"
    nib.save(nib.Nifti1Image(ARRAY.reshape(shape), AFFINE), path)
    for channel in range(3):
        volume = read_volume(path, channel=channel)
        assert np.array_equal(volume.array, ARRAY[..., channel])
        assert any(f"volume {channel} of 3" in note for note in volume.notes)
        np.testing.assert_allclose(volume.grid.world_from_voxel, AFFINE, atol=1e-5)


def test_slope_and_byte_order_count_for_one_volume_too(tmp_path):
    image = nib.Nifti1Image(ARRAY.astype(">i2"), AFFINE, nib.Nifti1Header(endianness=">"))
    image.header.set_slope_inter(2.0, -7.0)
    image.to_filename(tmp_path / "four.nii")
    expected = np.asarray(nib.load(tmp_path / "four.nii").dataobj)[..., 1]
    np.testing.assert_allclose(read_volume(tmp_path / "four.nii", channel=1).array, expected)


@pytest.mark.parametrize(("shape", "channel"), [((6, 7, 8, 3), 3), ((6, 7, 8), 0), ((6, 7, 8, 2, 3), 1)])
def test_a_volume_that_is_not_there_is_refused(tmp_path, shape, channel):
    nib.save(nib.Nifti1Image(np.zeros(shape, np.int16), AFFINE), tmp_path / "four.nii")
    with pytest.raises(DataError, match=f"number {channel} of its volumes"):
        read_volume(tmp_path / "four.nii", channel=channel)


def test_only_nifti_holds_several_volumes(tmp_path):
    nib.save(nib.Nifti1Image(ARRAY, AFFINE), tmp_path / "four.nii")
    write_volume(read_volume(tmp_path / "four.nii", channel=0), tmp_path / "one.nrrd")
    with pytest.raises(UsageError, match="only NIfTI"):
        read_volume(tmp_path / "one.nrrd", channel=0)
    with pytest.raises(DataError, match="medsegan convert --contrast N"):
        read_volume(tmp_path / "four.nii")


def test_labels_of_one_volume_take_over_its_place_on_three_axes(tmp_path):
    image = nib.Nifti1Image(ARRAY, AFFINE)
    image.set_qform(AFFINE, code=2)
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "four.nii")
    volume = read_volume(tmp_path / "four.nii", channel=1)
    label = LabelVolume((volume.array > 50).astype(np.uint8), volume.grid)
    write_label(label, tmp_path / "label.nii", like=tmp_path / "four.nii")
    before, after = nib.load(tmp_path / "four.nii").header, nib.load(tmp_path / "label.nii").header
    assert after.get_data_shape() == (6, 7, 8)
    for name in ("qform_code", "sform_code", "srow_x", "quatern_b", "qoffset_x", "xyzt_units"):
        assert np.array_equal(before[name], after[name]), name
