"""Enhanced images: every frame at its own place, with its own scale, whatever the order of the frames."""

import random

import numpy as np
import pydicom
import pytest
from enhanced_scan import write_enhanced
from pydicom.uid import EnhancedCTImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedCTImageStorage

from medsegan.errors import DataError
from medsegan.imaging import read_series, read_volume
from medsegan.imaging.dicom import pixels


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "RLE"])
@pytest.mark.parametrize(
    ("sop_class", "modality"),
    [
        (EnhancedCTImageStorage, "ct"),
        (EnhancedMRImageStorage, "mr"),
        (LegacyConvertedEnhancedCTImageStorage, "ct"),
    ],
)
def test_frames_in_any_order_are_one_volume(slices, tmp_path, sop_class, modality, compress):
    specs = slices.stack(pixel_spacing=(0.6, 1.1))
    for index, spec in enumerate(specs):
        spec.slope = 0.05 + 0.01 * index
    random.Random(3).shuffle(specs)
    volume = read_volume(write_enhanced(specs, tmp_path / "in" / "one.dcm", sop_class, compress))
    assert volume.array.shape == (32, 40, 12)
    assert volume.grid.spacing_mm == pytest.approx((1.1, 0.6, 2.5))
    assert slices.off(volume)[0].max() <= 1
    assert volume.modality == modality


def test_a_shared_scale_holds_for_every_frame(slices, tmp_path):
    volume = read_volume(write_enhanced(slices.stack(), tmp_path / "in" / "one.dcm"))
    assert slices.off(volume)[0].max() <= 1
    assert volume.array.dtype == np.int16
    assert volume.notes == ("the series of this file was read from its folder",)


@pytest.mark.parametrize("keyword", ["TemporalPositionIndex", "FrameAcquisitionNumber"])
def test_phases_among_the_frames_are_told_apart(slices, tmp_path, keyword):
    first, second = slices.stack(tags={keyword: 1}), slices.stack(added_hu=100, tags={keyword: 2})
    folder = write_enhanced([*first, *second], tmp_path / "in" / "one.dcm").parent
    with pytest.raises(DataError, match=r"1: CT, 12 slices(?s:.)*2: CT, 12 slices"):
        read_series(folder)
    assert slices.off(read_series(folder, "1"))[0].max() <= 1
    assert slices.off(read_series(folder, "2"))[0].min() >= 99


def test_a_missing_frame_is_a_gap(slices, tmp_path):
    specs = slices.stack()
    del specs[5]
    path = write_enhanced(specs, tmp_path / "in" / "one.dcm")
    with pytest.raises(DataError, match=r"5\.000 mm after position 10\.000"):
        read_volume(path)
    assert slices.off(read_volume(path, fix_gaps=True))[0].max() <= 1


def test_frames_that_cannot_be_decoded_one_by_one_are_refused_by_their_syntax(slices, tmp_path, monkeypatch):
    path = write_enhanced(slices.stack(), tmp_path / "in" / "one.dcm", compress=True)
    monkeypatch.setattr(pixels, "_needs_other_decoder", lambda dataset, syntax: True)
    with pytest.raises(DataError, match=r"RLE Lossless \(1\.2\.840\.10008\.1\.2\.5\) cannot be decoded"):
        read_volume(path)


def test_frames_without_functional_groups_are_refused_by_name(slices, tmp_path):
    path = write_enhanced(slices.stack(), tmp_path / "in" / "one.dcm")
    dataset = pydicom.dcmread(path)
    del dataset.PerFrameFunctionalGroupsSequence[3]
    dataset.save_as(path)
    with pytest.raises(DataError, match="Enhanced CT Image Storage of 12 frames has functional groups for 11"):
        read_volume(path)


def test_many_frames_in_a_plain_ct_are_refused_by_name(slices, write_specs):
    with pytest.raises(DataError, match=r"CT Image Storage \(12\)"):
        read_series(write_specs(slices.stack(tags={"NumberOfFrames": 2})))
