"""Pictures: contours where classes end, sheets, and files that are whole."""

import numpy as np
import pytest
from PIL import Image

from medsegan.errors import DataError, InputError
from medsegan.pictures import class_colours, montage, overlay, write_png


def test_colours_are_distinct_and_repeat_after_twelve():
    colours = class_colours(13)
    assert colours.shape == (13, 3)
    assert colours.dtype == np.uint8
    assert len(np.unique(colours, axis=0)) == 13
    assert tuple(colours[0]) == (0, 0, 0)
    assert np.array_equal(class_colours(15)[13], colours[1])
    assert class_colours(0).shape == (0, 3)


def test_an_overlay_without_label_is_the_image_in_grey():
    image = np.array([[-1.0, 0.0], [1.0, 3.0]])
    picture = overlay(image, None, scale=1)
    assert picture.dtype == np.uint8
    assert picture.tolist() == [[[0] * 3, [128] * 3], [[255] * 3, [255] * 3]]
    grey = np.array([[7, 200]], np.uint8)
    assert overlay(grey, np.zeros((1, 2), int), scale=1)[..., 1].tolist() == [[7, 200]]


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_contours_run_inside_of_their_class_and_leave_the_rest(scale):
    label = np.zeros((12, 10), np.uint8)
    label[2:9, 3:8] = 2
    picture = overlay(np.full((12, 10), 100, np.uint8), label, scale=scale)
    coloured = (picture == class_colours(3)[2]).all(axis=2)
    expected = np.zeros((12 * scale, 10 * scale), bool)
    expected[2 * scale : 9 * scale, 3 * scale : 8 * scale] = True
    expected[2 * scale + 1 : 9 * scale - 1, 3 * scale + 1 : 8 * scale - 1] = False
    assert np.array_equal(coloured, expected)
    assert (picture[~expected] == 100).all()


def test_touching_classes_keep_a_contour_each():
    label = np.array([[1, 1, 1, 2, 2, 2]] * 6)
    picture = overlay(np.zeros((6, 6)), label, scale=1)
    assert (picture[:, 2] == class_colours(3)[1]).all()
    assert (picture[:, 3] == class_colours(3)[2]).all()


def test_the_reference_is_dashed_white():
    reference = np.zeros((20, 20), np.uint8)
    reference[5:15, 5:15] = 1
    picture = overlay(np.zeros((20, 20), np.uint8), None, reference, scale=2)
    white = (picture == 255).all(axis=2)
    edge = np.zeros((40, 40), bool)
    edge[10:30, 10:30] = True
    edge[11:29, 11:29] = False
    assert 0.3 * edge.sum() < white.sum() < 0.7 * edge.sum()
    assert not white[~edge].any()


def test_arrays_of_other_shapes_are_refused():
    with pytest.raises(DataError, match="one shape"):
        overlay(np.zeros((4, 4)), np.zeros((4, 5), int))
    with pytest.raises(DataError, match="one shape"):
        overlay(np.zeros((4, 4)), None, np.zeros((3, 4), int))
    with pytest.raises(DataError, match="one shape"):
        overlay(np.zeros((4, 4, 3)), None)


def test_a_montage_holds_every_tile_in_reading_order():
    tiles = [np.full((5, 7, 3), 40 + 50 * index, np.uint8) for index in range(4)]
    sheet = montage(tiles, columns=3)
    assert sheet.dtype == np.uint8
    found = {value: np.argwhere((sheet == value).all(axis=2)) for value in (40, 90, 140, 190)}
    assert all(len(places) == 35 for places in found.values())
    tops = [int(places[0][0]) for places in found.values()]
    lefts = [int(places[0][1]) for places in found.values()]
    assert tops[0] == tops[1] == tops[2] < tops[3]
    assert lefts[0] == lefts[3] < lefts[1] < lefts[2]


def test_captions_are_written_below_their_tile():
    tile = np.zeros((20, 60, 3), np.uint8)
    plain = montage([tile, tile], 2)
    named = montage([tile, tile], 2, ["liver", ""])
    assert named.shape[0] > plain.shape[0]
    half = named.shape[1] // 2
    below = named[26:, :]
    assert (below[:, :half] > 150).any()
    assert not (below[:, half:] > 150).any()


def test_montages_that_make_no_sense_are_refused():
    with pytest.raises(DataError, match="at least one tile"):
        montage([], 3)
    with pytest.raises(DataError, match="captions"):
        montage([np.zeros((2, 2, 3), np.uint8)], 1, ["a", "b"])
    with pytest.raises(DataError, match="uint8"):
        montage([np.zeros((2, 2, 3))], 1)


def test_a_png_is_read_back_and_nothing_else_is_left(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (6, 9, 3), dtype=np.uint8)
    path = tmp_path / "reports" / "sheet.png"
    write_png(picture, path)
    write_png(picture[::-1], path)
    with Image.open(path) as image:
        assert np.array_equal(np.array(image), picture[::-1])
    assert [file.name for file in path.parent.iterdir()] == ["sheet.png"]


def test_pngs_that_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="uint8"):
        write_png(np.zeros((2, 2)), tmp_path / "a.png")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        write_png(np.zeros((2, 2), np.uint8), tmp_path / "file" / "a.png")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
