"""A folder with a file for each class is one label volume, and overlap is refused by name."""

import numpy as np
import pytest
from label_scenes import oblique_grid, organs

from medsegan.errors import DataError, InputError
from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, read_label, write_label

GRID = oblique_grid()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "segmentations"
    folder.mkdir()
    for value, name in {1: "spleen", 2: "Left Kidney", 3: "liver"}.items():
        write_label(LabelVolume((organs() == value).astype(np.uint8), GRID), folder / f"{name}.nii.gz")
    return folder


def test_classes_are_named_after_their_files(folder):
    label = read_label(folder)
    assert dict(label.names) == {1: "left_kidney", 2: "liver", 3: "spleen"}
    for name, value in {"spleen": 1, "left_kidney": 2, "liver": 3}.items():
        number = next(number for number, known in label.names.items() if known == name)
        assert np.array_equal(label.array == number, organs() == value)
    assert label.grid.corner_distance_voxels(GRID) < 1e-3


def test_only_what_is_asked_for_is_opened(folder):
    (folder / "broken.nii.gz").write_bytes(b"x")
    label = read_label(folder, only=["liver"])
    assert dict(label.names) == {3: "liver"}
    assert np.array_equal(label.array == 3, organs() == 3)
    with pytest.raises((InputError, DataError)):
        read_label(folder)


def test_overlap_is_refused_by_name(folder):
    both = np.isin(organs(), [1, 3]).astype(np.uint8)
    write_label(LabelVolume(both, GRID), folder / "liver.nii.gz")
    n_both = int((organs() == 1).sum())
    with pytest.raises(DataError, match=rf"overlap: liver and spleen \({n_both} voxels\)"):
        read_label(folder)


def test_another_grid_and_several_classes_in_one_file_are_refused(folder):
    affine = np.array(GRID.world_from_voxel)
    affine[0, 3] += 0.1
    elsewhere = LabelVolume((organs() == 1).astype(np.uint8), Grid(GRID.shape, affine))
    write_label(elsewhere, folder / "spleen.nii.gz")
    with pytest.raises(DataError, match=r"spleen.*another grid"):
        read_label(folder)
    write_label(LabelVolume(organs(), GRID), folder / "spleen.nii.gz")
    with pytest.raises(DataError, match=r"spleen.*holds the values \[0, 1, 2, 3\]"):
        read_label(folder)


def test_soft_masks_are_cut_at_half(folder):
    soft = np.zeros(organs().shape, dtype=np.uint8)
    soft[organs() == 1] = 255
    soft[2, 4:8, 2:4] = [[40, 90], [200, 120], [210, 220], [60, 230]]
    write_label(LabelVolume(soft, GRID), folder / "spleen.nii.gz")
    label = read_label(folder, only=["spleen"])
    assert np.array_equal(label.array == 3, soft > 127)
