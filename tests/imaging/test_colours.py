"""Masks painted in colours: one class for each colour, by name; smoothed ones are refused."""

import numpy as np
import pytest
from PIL import Image

from medsegan.errors import DataError
from medsegan.imaging import read_label


def save(pixels, path, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def painted():
    pixels = np.zeros((40, 30, 3), dtype=np.uint8)
    pixels[2:10, 3:9] = (0, 255, 0)
    pixels[12:30, 12:20] = (255, 0, 0)
    pixels[32:38, 4:9] = (255, 255, 0)
    return pixels


def test_every_colour_is_a_class_in_order_of_first_appearance(painted, tmp_path):
    label = read_label(save(painted, tmp_path / "m.png"))
    assert dict(label.names) == {1: "colour_00ff00", 2: "colour_ff0000", 3: "colour_ffff00"}
    assert label.array.shape == (30, 40, 1)
    assert label.is_picture
    for value, colour in {1: (0, 255, 0), 2: (255, 0, 0), 3: (255, 255, 0)}.items():
        assert np.array_equal(value == label.array[..., 0].T, (painted == colour).all(axis=-1))


def test_classes_are_chosen_by_the_names_of_their_colours(painted, tmp_path):
    label = read_label(save(painted, tmp_path / "m.png"), only=["colour_FF0000"])
    assert set(np.unique(label.array)) == {0, 2}


def test_an_opaque_channel_is_dropped_and_a_transparent_one_refused(painted, tmp_path):
    opaque = np.dstack([painted, np.full(painted.shape[:2], 255, dtype=np.uint8)])
    expected = read_label(save(painted, tmp_path / "m.png")).array
    assert np.array_equal(read_label(save(opaque, tmp_path / "a.png")).array, expected)
    opaque[5, 5, 3] = 100
    with pytest.raises(DataError, match="transparent"):
        read_label(save(opaque, tmp_path / "b.png"))


def test_mixtures_of_colours_at_edges_are_refused_by_name(painted, tmp_path):
    painted[12:30, 11] = (128, 0, 0)
    with pytest.raises(DataError, match=r"#800000 \(18 pixels\) is a mixture of #000000 and #ff0000"):
        read_label(save(painted, tmp_path / "m.png"))


def test_a_smoothed_mask_is_refused(painted, tmp_path):
    smooth = Image.fromarray(painted).resize((61, 83), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "m.png")
    with pytest.raises(DataError, match=r"colours|mixture"):
        read_label(tmp_path / "m.png")


def test_a_picture_is_refused(tmp_path):
    pixels = np.random.default_rng(4).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    with pytest.raises(DataError, match="at most 64"):
        read_label(save(pixels, tmp_path / "m.png"))


def test_two_strong_colours_between_others_stay_classes(tmp_path):
    pixels = np.zeros((40, 30, 3), dtype=np.uint8)
    pixels[:20] = (128, 0, 0)
    pixels[:20, :15] = (255, 0, 0)
    assert len(read_label(save(pixels, tmp_path / "m.png")).names) == 2
