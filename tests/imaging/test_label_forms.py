"""What people keep labels in: each form is read by a stated rule or refused with the reason."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)
from PIL import Image

from medsegan.errors import DataError
from medsegan.imaging import read_label, read_volume

AFFINE = np.diag([-0.8, 0.9, 2.5, 1.0])
LABELS = (np.arange(4 * 5 * 6) % 4).reshape(4, 5, 6)
RED, GREEN = LABELS == 1, LABELS == 2
SINGLE = np.zeros(LABELS.shape)


def save(array, path, dtype=None):
    nib.save(nib.Nifti1Image(array, AFFINE, dtype=dtype), path)
    return path


def painted(alpha=None):
    """Classes 1 and 2 in red and green; class 3 stays black."""
    channels = [RED * 255, GREEN * 255, SINGLE] + ([] if alpha is None else [SINGLE + alpha])
    return np.stack(channels, axis=-1).astype(np.uint8)


def as_structure(pixels):
    names = "RGBA"[: pixels.shape[-1]]
    array = np.zeros(pixels.shape[:3], dtype=[(name, "u1") for name in names])
    for index, name in enumerate(names):
        array[name] = pixels[..., index]
    return array


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("alpha", [None, 255])
def test_colours_in_volumes_are_classes(tmp_path, suffix, alpha):
    path = tmp_path / f"mask{suffix}"
    if suffix.startswith(".nii"):
        save(as_structure(painted(alpha)), path)
    else:
        image = sitk.GetImageFromArray(painted(alpha).transpose(2, 1, 0, 3), isVector=True)
        image.SetSpacing((0.8, 0.9, 2.5))
        sitk.WriteImage(image, str(path), useCompression=True)
    label = read_label(path)
    values = {name: value for value, name in label.names.items()}
    assert set(values) == {"colour_ff0000", "colour_00ff00"}
    assert np.array_equal(label.array == values["colour_ff0000"], RED)
    assert np.array_equal(label.array == values["colour_00ff00"], GREEN)
    assert label.grid.spacing_mm == pytest.approx((0.8, 0.9, 2.5))
    with pytest.raises(DataError, match=r"colours|every voxel has"):
        read_volume(path)


def test_greys_in_three_channels_are_their_values(tmp_path):
    grey = np.repeat(LABELS[..., None], 3, axis=-1).astype(np.uint8)
    assert np.array_equal(read_label(save(as_structure(grey), tmp_path / "mask.nii.gz")).array, LABELS)


def test_transparent_and_smoothed_colours_are_refused(tmp_path):
    with pytest.raises(DataError, match="transparent"):
        read_label(save(as_structure(painted(100)), tmp_path / "mask.nii"))
    smooth = np.random.default_rng(0).integers(0, 255, (*LABELS.shape, 3)).astype(np.uint8)
    with pytest.raises(DataError, match="colours"):
        read_label(save(as_structure(smooth), tmp_path / "mask.nii"))


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_every_type_of_number(tmp_path, dtype):
    label = read_label(save(LABELS.astype(dtype), tmp_path / "mask.nii.gz", np.dtype(dtype)))
    assert label.array.dtype == np.uint8
    assert np.array_equal(label.array, LABELS)


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (70_000, "i8", "between 0 and 70000"),
        (2**63 + 5, "u8", "expected 0 to 65535"),
        (-(2**63), "i8", "expected 0 to 65535"),
        (-1, "i2", "between -1 and 3"),
        (-1.0, "f4", "between -1 and 3"),
        (1e30, "f4", "expected 0 to 65535"),
        (2.3, "f4", "2.3 are no integers"),
        (2.002, "f8", "no integers"),
        (np.nan, "f4", "NaN or infinite"),
        (-np.inf, "f8", "NaN or infinite"),
        (1j, "c8", "complex numbers"),
    ],
)
def test_what_is_no_label_is_named(tmp_path, value, dtype, message):
    array = LABELS.astype(dtype)
    array[0, 0, 0] = value
    with pytest.raises(DataError, match=message):
        read_label(save(array, tmp_path / "mask.nii.gz", np.dtype(dtype)))


@pytest.mark.parametrize("off", [-0.0009, 0.0009])
def test_floats_beside_integers_are_rounded(tmp_path, off):
    assert np.array_equal(read_label(save((LABELS + off).astype("f4"), tmp_path / "mask.nii")).array, LABELS)


def test_soft_masks_from_0_to_1_are_refused_and_from_0_to_255_cut(tmp_path):
    soft = np.zeros((20, 20, 6))
    soft[5:15, 5:15] = 255
    soft[5, 5:15], soft[14, 5:15], soft[5:15, 5], soft[5:15, 14] = 100, 140, 60, 180
    label = read_label(save(soft.astype("f4"), tmp_path / "mask.nii.gz"))
    assert np.array_equal(label.array, soft > 127)
    assert "soft mask" in label.notes[0]
    for scaled in (soft / 255, soft * 0.999):
        with pytest.raises(DataError, match="threshold it"):
            read_label(save(scaled.astype("f4"), tmp_path / "mask.nii.gz"))


def test_an_archive_of_labels_is_refused_with_the_reason(tmp_path):
    (tmp_path / "labels.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    with pytest.raises(DataError, match="labels are not read from archives"):
        read_label(tmp_path / "labels.zip")


def test_pictures_of_labels(tmp_path):
    flat = LABELS[..., 0].astype(np.uint8)
    Image.fromarray(flat.astype(np.uint16) * 300).save(tmp_path / "deep.png")
    assert np.array_equal(read_label(tmp_path / "deep.png").array[..., 0].T, flat.astype(int) * 300)
    Image.fromarray(flat.astype(np.float32)).save(tmp_path / "float.tif")
    assert np.array_equal(read_label(tmp_path / "float.tif").array[..., 0].T, flat)
    Image.fromarray(flat).save(tmp_path / "lossy.tif", compression="jpeg")
    with pytest.raises(DataError, match="saved as JPEG"):
        read_label(tmp_path / "lossy.tif")


def test_floats_beyond_32_bits_are_refused_without_a_warning(tmp_path):
    with pytest.raises(DataError, match="NaN or infinite"):
        read_volume(save(LABELS * 1e300, tmp_path / "scan.nii.gz"))
