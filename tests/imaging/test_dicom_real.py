"""Real DICOM files with known answers: transfer syntaxes, odd headers, objects that are no images."""

import shutil

import numpy as np
import pytest

from medsegan.errors import DataError, InputError
from medsegan.imaging import read_series
from medsegan.imaging.dicom import pixels
from medsegan.imaging.dicom.pixels import read_pixels

LARGEST_LOSS = {"4.91": 5.0, "4.81": 1.0, "4.51": 35.7, "4.53": 35.7, "4.55": 35.7, "4.50": 64.3}


def test_sixteen_transfer_syntaxes_of_one_image(real_scans, capfd):
    folder = real_scans("awkward") / "wado_ct_16_syntaxes"
    reference = read_pixels(folder / "CTImage.dcm")
    assert (reference.min(), reference.max()) == (-3024, 1378)
    paths = sorted(folder.iterdir())
    assert len(paths) == 16
    for path in paths:
        limit = next((loss for uid, loss in LARGEST_LOSS.items() if path.name.endswith(f"{uid}.dcm")), 0.0)
        worst = np.abs(read_pixels(path) - reference).max()
        assert worst <= limit, path.name
        assert limit == 0 or worst > 0, path.name


def test_nine_transfer_syntaxes_of_one_image(real_scans):
    paths = sorted((real_scans("awkward") / "dcm_qa_ts_9_syntaxes").iterdir())
    assert [int(read_pixels(path).sum()) for path in paths] == [38_036_663] * 9


def test_a_mosaic_is_no_volume(real_scans):
    with pytest.raises(DataError, match="mosaic"):
        read_series(real_scans("awkward") / "dcm_qa_ts_9_syntaxes", "1")


def test_big_endian_is_the_same_image(real_scans):
    folder = real_scans("awkward") / "pydicom"
    assert np.array_equal(read_pixels(folder / "MR_small_bigendian.dcm"), read_pixels(folder / "MR_small.dcm"))


def test_deflated_is_read(real_scans):
    assert read_pixels(real_scans("awkward") / "pydicom" / "image_dfl.dcm").shape == (512, 512)


def test_signedness_of_the_code_stream_does_not_wrap(real_scans):
    values = read_pixels(real_scans("awkward") / "pydicom" / "J2K_pixelrep_mismatch.dcm")
    assert (values.min(), values.max()) == (-2000, 1896)


def test_truncated_is_one_line_that_names_the_file(real_scans):
    with pytest.raises(InputError, match=r"MR_truncated\.dcm") as caught:
        read_pixels(real_scans("awkward") / "pydicom" / "MR_truncated.dcm")
    assert "\n" not in str(caught.value)


def test_annotations_and_doses_beside_the_slices_are_left_out(real_scans, tmp_path):
    awkward = real_scans("awkward")
    shutil.copytree(awkward / "dcmqi_ct3slice_and_seg" / "ct-3slice", tmp_path / "ct")
    plain = read_series(tmp_path / "ct")
    for name in ("pydicom/rtstruct.dcm", "pydicom/rtdose.dcm", "pydicom/SC_rgb_rle.dcm"):
        shutil.copy(awkward / name, tmp_path / "ct")
    shutil.copy(awkward / "dcmqi_ct3slice_and_seg" / "liver.dcm", tmp_path / "ct")
    volume = read_series(tmp_path / "ct")
    assert np.array_equal(volume.array, plain.array)
    note = " ".join(volume.notes)
    for name in ("RT Structure Set", "RT Dose", "Secondary Capture", "Segmentation"):
        assert name in note


@pytest.mark.parametrize("matrix", ["23x38x3", "24x38x3"])
def test_many_frames_in_one_file_are_the_same_volume_as_single_slices(real_scans, matrix):
    folder = real_scans("awkward") / "dcmqi_ct3slice_and_seg" / matrix
    frames, single = read_series(folder / "multiframe"), read_series(folder / "image")
    assert np.array_equal(frames.array, single.array)
    assert np.array_equal(frames.grid.world_from_voxel, single.grid.world_from_voxel)


@pytest.mark.parametrize("name", ["dicom2nifti/rgb/001", "dcmqi_ct3slice_and_seg/24x38x3/seg"])
def test_colour_and_seg_are_refused_by_name(real_scans, name):
    with pytest.raises(DataError, match="Storage"):
        read_series(real_scans("awkward") / name)


def test_row_and_column_spacing_and_the_float_scale_are_kept(real_scans):
    volume = read_series(real_scans("awkward") / "dicom2nifti" / "anatomical" / "002_non_isotropic")
    assert volume.array.shape == (64, 28, 4)
    assert volume.grid.spacing_mm[:2] == pytest.approx((6.39995861053464, 4.0))
    assert volume.array.dtype == np.float32
    assert volume.modality == "mr"


@pytest.mark.parametrize("name", ["compressed_jpegls", "compressed_rle"])
def test_both_decoders_give_the_same_pixels(real_scans, monkeypatch, name):
    folder = real_scans("awkward") / "dicom2nifti" / name
    usual = read_series(folder)
    monkeypatch.setattr(pixels, "_needs_other_decoder", lambda dataset, syntax: True)
    other = read_series(folder)
    assert usual.array.max() > 200
    assert np.array_equal(usual.array, other.array)


def test_seventeen_slices(real_scans):
    volume = read_series(real_scans("awkward") / "torchio_17slice_series")
    assert volume.array.shape == (88, 128, 17)
    assert volume.grid.spacing_mm == pytest.approx((2.0, 2.0, 2.0), abs=1e-6)
