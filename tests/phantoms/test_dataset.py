"""A written data set reads back as what was generated, from NIfTI and from DICOM."""

from pathlib import Path

import numpy as np
import pytest

from medsegan.errors import UsageError
from medsegan.geometry import axis_codes, reorientation_to
from medsegan.imaging import read_label, read_volume
from medsegan.phantoms import Appearance, generate_case, write_dataset
from medsegan.progress import Progress


class Recorder(Progress):
    def __init__(self) -> None:
        self.heard: list[float] = []

    def update(self, done: float, figures: object = None) -> None:
        self.heard.append(done)


def test_nifti_files_hold_the_generated_voxels_in_their_places(tmp_path: Path) -> None:
    paths = write_dataset(tmp_path, "mr", 2, 9)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "images/mr_000.nii.gz",
        "images/mr_001.nii.gz",
    ]
    for index, path in enumerate(paths):
        phantom = generate_case(9, index, "mr")
        volume, label = read_volume(path), read_label(tmp_path / "labels" / path.name)
        np.testing.assert_array_equal(volume.array, phantom.volume.array)
        np.testing.assert_array_equal(label.array, phantom.label.array)
        np.testing.assert_allclose(volume.grid.world_from_voxel, phantom.volume.grid.world_from_voxel, atol=1e-4)
        assert volume.grid.corner_distance_voxels(label.grid) < 1e-6


@pytest.mark.parametrize("appearance", ["ct", "mr"])
def test_dicom_series_hold_the_same_scan_on_the_grid_of_their_labels(
    tmp_path: Path, appearance: Appearance
) -> None:
    (path,) = write_dataset(tmp_path, appearance, 1, 9, dicom=True)
    assert path == tmp_path / "images" / f"{appearance}_000"
    volume, label = read_volume(path), read_label(tmp_path / "labels" / f"{appearance}_000.nii.gz")
    assert volume.modality == appearance
    assert volume.grid.corner_distance_voxels(label.grid) < 1e-3
    phantom = generate_case(9, 0, appearance)
    order = reorientation_to(phantom.volume.grid, axis_codes(volume.grid))
    np.testing.assert_array_equal(volume.array, order.apply(phantom.volume.array))
    np.testing.assert_array_equal(label.array, order.apply(phantom.label.array))


def test_dicom_is_reproducible_to_the_byte(tmp_path: Path) -> None:
    contents = []
    for name in ("first", "again"):
        (series,) = write_dataset(tmp_path / name, "mr", 1, 2, dicom=True)
        contents.append({file.name: file.read_bytes() for file in series.iterdir()})
    assert contents[0] == contents[1]
    assert len(contents[0]) > 10


def test_only_the_labelled_cases_get_labels_and_progress_is_told(tmp_path: Path) -> None:
    recorder = Recorder()
    write_dataset(tmp_path, "ct", 3, 0, n_labeled=1, progress=recorder)
    assert [path.name for path in (tmp_path / "labels").iterdir()] == ["ct_000.nii.gz"]
    assert len(list((tmp_path / "images").iterdir())) == 3
    assert recorder.heard == [1, 2, 3]


def test_both_appearances_share_a_folder_but_old_cases_are_not_mixed_with_new(tmp_path: Path) -> None:
    write_dataset(tmp_path, "ct", 1, 0)
    write_dataset(tmp_path, "mr", 1, 0)
    with pytest.raises(UsageError, match=r"1 ct phantoms already, such as ct_000\.nii\.gz"):
        write_dataset(tmp_path, "ct", 1, 1)


@pytest.mark.parametrize(("n_cases", "n_labeled"), [(0, None), (2, 3), (2, -1)])
def test_impossible_numbers_write_nothing(tmp_path: Path, n_cases: int, n_labeled: int | None) -> None:
    with pytest.raises(UsageError, match="labelled"):
        write_dataset(tmp_path / "new", "ct", n_cases, 0, n_labeled=n_labeled)
    assert not (tmp_path / "new").exists()
