"""Labels that lie on a scan and may still not belong to it, or not to all of its slices."""

import numpy as np
import pydicom
import pytest
from label_scenes import at_height, circle, oblique_grid, organs, write_rtstruct, write_scan, write_seg
from pydicom.dataset import Dataset

from medsegan.imaging import belonging_notes, read_label, read_volume


@pytest.fixture
def scan(tmp_path):
    return write_scan(tmp_path / "ct", oblique_grid())


def rewrite(path, **tags):
    dataset = pydicom.dcmread(path)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)


@pytest.mark.parametrize("frame_uid", [None, "1.2.3.99"])
def test_a_segmentation_in_another_frame_of_reference_is_told(scan, tmp_path, frame_uid):
    path = write_seg(organs(), scan, tmp_path / "seg.dcm", "abc")
    if frame_uid is not None:
        rewrite(path, FrameOfReferenceUID=frame_uid)
    volume = read_volume(scan)
    labels = read_label(path, on=volume.grid)
    notes = belonging_notes(path, labels.array, volume)
    assert len(notes) == (frame_uid is not None)
    assert all("frames of reference" in note for note in notes)


@pytest.mark.parametrize("keyword", ["ReferencedFrameOfReferenceSequence", "StructureSetROISequence"])
def test_contours_in_another_frame_of_reference_are_told(scan, tmp_path, keyword):
    curves = [at_height(circle((12.0, 10.0), 4.0), height) for height in (2.0, 3.0)]
    path = write_rtstruct(tmp_path / "rt.dcm", oblique_grid(), {"organ": curves})
    volume = read_volume(scan)
    labels = read_label(path, on=volume.grid).array
    assert belonging_notes(path, labels, volume) == ()
    dataset = pydicom.dcmread(path)
    if keyword == "StructureSetROISequence":
        dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = "1.2.3.99"
    else:
        dataset.ReferencedFrameOfReferenceSequence = [Dataset()]
        dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = "1.2.3.99"
    dataset.save_as(path)
    assert "frames of reference" in belonging_notes(path, labels, volume)[0]


def test_slices_made_up_between_labelled_ones_are_told(scan, tmp_path):
    (scan / "slice_0006.dcm").unlink()
    labels = np.delete(organs(), 5, axis=2)
    path = write_seg(labels, scan, tmp_path / "seg.dcm", "ab")
    volume = read_volume(scan, fix_gaps=True)
    assert volume.made_up == (5,)
    placed = read_label(path, on=volume.grid).array
    assert not placed[:, :, 5].any()
    assert "1 slices were interpolated between labelled ones" in belonging_notes(path, placed, volume)[0]
    placed[:, :, 6:] = 0
    assert belonging_notes(path, placed, volume) == ()


def test_labels_of_other_formats_have_no_frame(scan, tmp_path):
    assert belonging_notes(tmp_path / "label.nii.gz", organs(), read_volume(scan)) == ()
