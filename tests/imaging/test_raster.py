"""PNG and TIFF: the numbers of the file, or a refusal; pixel sizes only where they can be believed."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medsegan.errors import DataError, InputError, MedseganError, UsageError
from medsegan.geometry import Grid, axis_codes
from medsegan.imaging import (
    LabelVolume,
    Volume,
    align_label,
    detect_modality,
    fit_scale,
    read_label,
    read_volume,
    write_label,
    write_volume,
)

ROWS, COLUMNS = 30, 40


@pytest.fixture
def grey() -> np.ndarray:
    return np.arange(ROWS * COLUMNS, dtype=np.uint16).reshape(ROWS, COLUMNS)


def save(array: np.ndarray, path: Path, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def stored_values(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def plane(path: Path) -> np.ndarray:
    volume = read_volume(path)
    assert volume.array.shape[2] == 1
    return volume.array[..., 0].T


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_grey_values_are_those_of_the_file(grey, tmp_path, suffix, kind):
    values = (grey % 251).astype(kind) * (1 if kind == np.uint8 else 200)
    volume = read_volume(save(values, tmp_path / f"a.{suffix}"))
    assert np.array_equal(volume.array[..., 0].T, values)
    assert volume.array.dtype == (np.int16 if kind == np.uint8 else np.float32)
    assert axis_codes(volume.grid) == "LPS"
    assert volume.grid.spacing_mm == (1.0, 1.0, 1.0)
    assert volume.is_picture
    assert detect_modality(volume)[0] == "xray"
    assert len(volume.notes) == 1
    assert volume.notes[0].startswith("a pixel is taken as 1 mm")


@pytest.mark.parametrize("kind", [np.int16, np.int32, np.float32])
def test_signed_and_real_values_of_a_tiff(grey, tmp_path, kind):
    values = (grey.astype(kind) - 600) * kind(0.5 if kind == np.float32 else 1)
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "a.tif")) if kind == np.int16 else save(
        values, tmp_path / "a.tif"
    )
    assert np.array_equal(plane(tmp_path / "a.tif"), values)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_equal_channels_are_one_and_keep_all_their_bits(grey, tmp_path, suffix, kind):
    values = (grey % 251).astype(kind) * (1 if kind == np.uint8 else 257)
    coloured = sitk.GetImageFromArray(np.repeat(values[..., None], 3, axis=2), isVector=True)
    sitk.WriteImage(coloured, str(tmp_path / f"a.{suffix}"))
    assert np.array_equal(plane(tmp_path / f"a.{suffix}"), values)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_of_colours_the_luminance_is_read_and_said(grey, tmp_path, suffix, kind):
    bright = (grey % 251).astype(kind) * (1 if kind == np.uint8 else 257)
    colours = np.stack([bright, bright // 2, bright // 3], axis=-1)
    sitk.WriteImage(sitk.GetImageFromArray(colours, isVector=True), str(tmp_path / f"a.{suffix}"))
    volume = read_volume(tmp_path / f"a.{suffix}")
    expected = 0.299 * colours[..., 0] + 0.587 * colours[..., 1] + 0.114 * colours[..., 2]
    assert np.abs(volume.array[..., 0].T - expected).max() <= 0.51
    assert any("luminance" in note for note in volume.notes)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_an_opaque_alpha_channel_is_dropped_and_any_other_refused(grey, tmp_path, mode):
    picture = Image.fromarray((grey % 200).astype(np.uint8)).convert(mode)
    picture.save(tmp_path / "a.png")
    assert np.array_equal(plane(tmp_path / "a.png"), grey % 200)
    picture.putpixel((5, 6), (*picture.getpixel((5, 6))[:-1], 254))
    picture.save(tmp_path / "a.png")
    with pytest.raises(DataError, match="transparent"):
        read_volume(tmp_path / "a.png")


def test_palettes(tmp_path):
    indices = (np.indices((ROWS, COLUMNS)).sum(axis=0) % 3).astype(np.uint8)
    picture = Image.fromarray(indices, mode=None).convert("P")
    picture.putdata(indices.ravel().tolist())
    picture.putpalette([0, 0, 0, 150, 150, 150, 250, 250, 250])
    picture.save(tmp_path / "greys.png")
    greys = np.array([0, 150, 250])[indices]
    assert np.array_equal(plane(tmp_path / "greys.png"), greys)
    assert np.array_equal(read_label(tmp_path / "greys.png").array[..., 0].T, greys)
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    picture.save(tmp_path / "colours.png")
    with pytest.raises(DataError, match="palette of colours"):
        read_volume(tmp_path / "colours.png")
    label = read_label(tmp_path / "colours.png")
    assert np.array_equal(label.array[..., 0].T, indices)
    assert label.notes == ("a palette of colours; the number of each colour in it is the label",)


def png(depth: int, colour_type: int, rows: list[bytes], width: int) -> bytes:
    """A PNG by hand, for bit depths that Pillow does not write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_few_bits_are_numbers_and_not_brightness(tmp_path):
    (tmp_path / "four.png").write_bytes(png(4, 0, [bytes([0x01, 0x23]), bytes([0x4F, 0x00])], 4))
    (tmp_path / "two.png").write_bytes(png(2, 0, [bytes([0b00011011])], 4))
    (tmp_path / "one.png").write_bytes(png(1, 0, [bytes([0b01010000])], 4))
    assert plane(tmp_path / "four.png").tolist() == [[0, 1, 2, 3], [4, 15, 0, 0]]
    assert read_label(tmp_path / "two.png").array[..., 0].T.tolist() == [[0, 1, 2, 3]]
    assert read_label(tmp_path / "one.png").array[..., 0].T.tolist() == [[0, 1, 0, 1]]


def white_is_zero(path: Path) -> None:
    """Turn the tag PhotometricInterpretation of a little-endian TIFF from 1 to 0."""
    content = path.read_bytes()
    tag = struct.pack("<HHIHH", 262, 3, 1, 1, 0)
    assert content.count(tag) == 1
    path.write_bytes(content.replace(tag, struct.pack("<HHIHH", 262, 3, 1, 0, 0)))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_tiff_whose_white_is_zero_is_inverted_and_told(grey, tmp_path, kind):
    path = save((grey % 200).astype(kind), tmp_path / "a.tif")
    white_is_zero(path)
    assert np.array_equal(plane(path), np.iinfo(kind).max - (grey % 200).astype(np.int64))
    assert any("white is 0" in note for note in read_volume(path).notes)
    with pytest.raises(DataError, match="white is 0"):
        read_label(path)


def test_several_pictures_and_turned_ones_are_refused(grey, tmp_path):
    page = Image.fromarray(grey.astype(np.uint8))
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    with pytest.raises(DataError, match="2 pictures"):
        read_volume(tmp_path / "a.tif")
    exif = Image.Exif()
    exif[274] = 6
    page.save(tmp_path / "b.png", exif=exif)
    with pytest.raises(DataError, match="orientation 6"):
        read_volume(tmp_path / "b.png")


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize(
    ("dpi", "spacing_mm", "words"),
    [
        ((25.4, 12.7), (1.0, 2.0), "from the file's resolution: 1 x 2 mm"),
        ((96, 96), (1.0, 1.0), "96 dpi is one that programs write"),
        ((300, 300), (1.0, 1.0), "300 dpi is one that programs write"),
        ((2.54, 2.54), (1.0, 1.0), "pixels of 10 x 10 mm"),
        ((254, 254), (1.0, 1.0), "a picture of 4 x 3 mm"),
    ],
)
def test_the_resolution_is_believed_only_where_it_can_be(grey, tmp_path, suffix, dpi, spacing_mm, words):
    volume = read_volume(save(grey.astype(np.uint8), tmp_path / f"a.{suffix}", dpi=dpi))
    assert volume.grid.spacing_mm[:2] == pytest.approx(spacing_mm, rel=1e-3)
    assert words in volume.notes[0]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_damage_is_one_line(grey, tmp_path, suffix):
    path = save(
        np.random.default_rng(0).integers(0, 255, (ROWS, COLUMNS)).astype(np.uint8), tmp_path / f"a.{suffix}"
    )
    whole = path.read_bytes()
    for content in (b"", b"no picture at all", whole[: len(whole) // 2], whole[:20]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=path.name) as caught:
            read_volume(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="no such"):
        read_volume(tmp_path / "absent.png")


@given(st.data())
def test_a_flipped_byte_is_never_a_traceback(tmp_path_factory, data):
    suffix = data.draw(st.sampled_from(["png", "tif"]))
    folder = tmp_path_factory.getbasetemp() / "flipped"
    folder.mkdir(exist_ok=True)
    path = save(np.arange(600, dtype=np.uint8).reshape(20, 30) % 7, folder / f"a.{suffix}")
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    try:
        volume = read_volume(path)
    except MedseganError as error:
        message = str(error)
    else:
        message = ""
        assert volume.array.ndim == 3
    assert "\n" not in message


def test_labels_of_a_picture_are_laid_pixel_on_pixel(grey, tmp_path):
    values = np.array([0, 150, 200, 250], np.uint8)[grey % 4]
    label = read_label(save(values, tmp_path / "m.png"))
    assert np.array_equal(label.array[..., 0].T, values)
    scan = read_volume(save(grey.astype(np.uint8), tmp_path / "a.png", dpi=(25.4, 12.7)))
    placed, note = align_label(label, scan.grid)
    assert note is None
    assert placed.grid is scan.grid
    with pytest.raises(DataError, match="40 x 30 pixels"):
        align_label(label, Grid((COLUMNS, ROWS + 1, 1), np.eye(4)))


def test_soft_masks_are_cut_and_pictures_are_no_masks(tmp_path):
    x, y = np.meshgrid(np.arange(200), np.arange(160))
    soft = np.clip((60 - np.hypot(x - 100, y - 80)) * 40 + 128, 0, 255).astype(np.uint8)
    label = read_label(save(soft, tmp_path / "soft.png"))
    assert np.array_equal(label.array[..., 0].T, soft > 127)
    assert "soft mask" in label.notes[0]
    for picture in ((x % 100).astype(np.uint8), (x + y).astype(np.uint8)):
        with pytest.raises(DataError, match="not like classes"):
            read_label(save(picture, tmp_path / "picture.png"))


def test_a_mask_of_a_picture_is_a_picture(grey, tmp_path):
    scan = read_volume(save(grey.astype(np.uint8), tmp_path / "a.png", dpi=(25.4, 12.7)))
    for values in (grey % 4, grey % 5 * 1000):
        label = LabelVolume(values.T[..., None].astype(np.int64), scan.grid)
        write_label(label, tmp_path / "m.png")
        again = read_label(tmp_path / "m.png")
        assert np.array_equal(again.array, label.array)
        assert np.array_equal(stored_values(tmp_path / "m.png"), values)
        assert read_volume(tmp_path / "m.png").grid.spacing_mm[:2] == pytest.approx((1.0, 2.0), rel=1e-3)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.png", "m.png"]


def test_a_volume_is_no_picture(tmp_path):
    for grid in (Grid((4, 5, 2), np.diag([-1.0, -1, 1, 1])), Grid((4, 5, 1), np.eye(4))):
        with pytest.raises(DataError, match=r"one slice.*nii\.gz"):
            write_label(LabelVolume(np.ones(grid.shape, np.uint8), grid), tmp_path / "m.png")
    flat = Grid((4, 5, 1), np.diag([-1.0, -1, 1, 1]))
    with pytest.raises(UsageError, match="labels only"):
        write_volume(Volume(np.ones(flat.shape, np.int16), flat), tmp_path / "m.png")


def test_the_scale_of_an_x_ray_leaves_out_its_border():
    array = np.zeros((100, 80, 1), np.int16)
    array[20:80] = np.linspace(1000, 3000, 80, dtype=np.int16)[:, None]
    scale = fit_scale(array, "xray")
    assert (scale.low, scale.high) == pytest.approx((1000, 3000), abs=30)
    with pytest.raises(DataError, match="no contrast"):
        fit_scale(np.full((9, 9, 1), 7), "xray")


def test_chest_x_rays(real_scans):
    folder = real_scans("cxr_jsrt")
    for path in sorted((folder / "masks").iterdir())[:20]:
        label = read_label(path)
        assert set(np.unique(label.array)) == {0, 150, 200, 250}
        assert label.notes == ()


def test_soft_masks_of_chest_x_rays(real_scans):
    for path in sorted((real_scans("cxr_shenzhen") / "masks").iterdir()):
        label = read_label(path)
        assert np.array_equal(label.array[..., 0].T, stored_values(path) > 127)
        assert "soft mask" in label.notes[0]
