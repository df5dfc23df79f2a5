"""On series that are no traps other readers say the same."""

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from medsegan.imaging import read_series
from medsegan.imaging.lps import RAS_FROM_LPS

PLAIN = {
    "clean": {},
    "oblong pixels": {"pixel_spacing": (0.6, 1.1)},
    "columns backwards": {"along_column": (0.0, -1.0, 0.0)},
    "signed": {"signed": True, "intercept": 0.0},
    "run length": {"rle": True},
    "thick": {"tags": {"SliceThickness": 5.0}},
}


@pytest.mark.parametrize("name", PLAIN)
def test_simpleitk_and_highdicom_agree(slices, write_specs, name):
    folder = write_specs(slices.stack(**PLAIN[name]))
    ours = read_series(folder)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    theirs = reader.Execute()
    assert ours.grid.spacing_mm == pytest.approx(theirs.GetSpacing())
    for voxel in ((0, 0, 0), (31, 39, 11), (7, 20, 3)):
        at_ours = RAS_FROM_LPS[:3, :3] @ (ours.grid.world_from_voxel @ [*voxel, 1])[:3]
        index = theirs.TransformPhysicalPointToIndex(at_ours.tolist())
        assert at_ours == pytest.approx(theirs.TransformIndexToPhysicalPoint(index), abs=1e-4)
        assert ours.array[voxel] == pytest.approx(theirs[index])
    datasets = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    volume = highdicom.get_volume_from_series(datasets)
    matched = highdicom.Volume(
        np.transpose(ours.array, (2, 1, 0)),
        (RAS_FROM_LPS @ ours.grid.world_from_voxel)[:, [2, 1, 0, 3]],
        coordinate_system="PATIENT",
    ).match_geometry(volume, tol=1e-3)
    assert np.array_equal(matched.array, volume.array)
