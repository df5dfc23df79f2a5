"""X-ray DICOM: values inside the stored range, sizes with their origin, one picture a scan."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from medsegan.errors import DataError, InputError
from medsegan.geometry import axis_codes
from medsegan.imaging import detect_modality, read_volume
from medsegan.slices import prepare_scan

CR, DX = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1"
ROWS, COLUMNS = 40, 30
Write = Callable[..., Path]


@pytest.fixture
def stored() -> np.ndarray:
    return (np.indices((ROWS, COLUMNS)) * np.array([20, 7])[:, None, None]).sum(axis=0).astype(np.uint16)


@pytest.fixture
def write(tmp_path: Path, stored: np.ndarray) -> Write:
    """A function that writes a radiograph of `stored` and returns its path."""

    def one(name: str = "cxr.dcm", sop_class: str = DX, **tags: Any) -> Path:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
            sop_class,
            generate_uid(entropy_srcs=[name]),
        )
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", f"1.2.3.{len(name)}"
        dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation, dataset.PhotometricInterpretation = 0, "MONOCHROME2"
        dataset.PixelData = stored.tobytes()
        dataset.WindowCenter, dataset.WindowWidth = 100, 10
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)
        dataset.save_as(tmp_path / name, enforce_file_format=True)
        return tmp_path / name

    return one


@pytest.mark.parametrize("sop_class", [CR, DX])
def test_a_radiograph_is_one_slice(write, stored, sop_class):
    volume = read_volume(write(sop_class=sop_class, PixelSpacing=[0.2, 0.3], PatientOrientation=["L", "F"]))
    assert np.array_equal(volume.array[..., 0].T, stored)  # no VOI window
    assert volume.array.dtype == np.int16
    assert axis_codes(volume.grid) == "LPS"
    assert volume.grid.spacing_mm == pytest.approx((0.3, 0.2, 1.0))
    assert detect_modality(volume) == ("xray", "the file says X-ray")
    assert volume.notes == ()
    assert prepare_scan(volume, "xray", "axial", 32).images.shape == (1, 32, 32)


def test_monochrome1_is_inverted_within_the_stored_bits(write, stored):
    volume = read_volume(write(PhotometricInterpretation="MONOCHROME1", PixelSpacing=[1, 1]))
    assert np.array_equal(volume.array[..., 0].T, 4095 - stored.astype(int))
    assert "MONOCHROME1" in volume.notes[0]


def test_monochrome1_with_a_slope_and_signed_pixels(write, stored):
    tags = {"PixelRepresentation": 1, "RescaleSlope": 2, "RescaleIntercept": 10, "PixelSpacing": [1, 1]}
    volume = read_volume(write(PhotometricInterpretation="MONOCHROME1", **tags))
    assert np.array_equal(volume.array[..., 0].T, (-1 - stored.astype(int)) * 2 + 10)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_becomes_the_darkest_value(write, stored, photometric):
    tags = {"PhotometricInterpretation": photometric, "PixelSpacing": [1, 1]}
    plain = read_volume(write(**tags)).array[..., 0].T.astype(int)
    volume = read_volume(write(PixelPaddingValue=int(stored.max()), PixelPaddingRangeLimit=900, **tags))
    is_padding = stored >= 900
    assert np.array_equal(volume.array[..., 0].T[~is_padding], plain[~is_padding])
    assert set(volume.array[..., 0].T[is_padding]) == {plain[~is_padding].min()}


@pytest.mark.parametrize(("is_signed", "written"), [(1, 65516), (0, -65516)])
def test_padding_of_the_other_sign_than_the_pixels_is_padding(write, stored, is_signed, written):
    value = -20 if is_signed else 20
    tags = {"PixelRepresentation": is_signed, "BitsStored": 16, "HighBit": 15, "PixelSpacing": [1, 1]}
    path = write(**tags)
    dataset = pydicom.dcmread(path)
    padded = stored.astype(np.int16)
    padded[0] = value
    dataset.PixelData = padded.tobytes()
    dataset.add_new("PixelPaddingValue", "US" if is_signed else "SL", written)
    dataset.save_as(path)
    volume = read_volume(path)
    assert "padding" in volume.notes[0]
    assert set(volume.array[:, 0, 0]) == {int(np.delete(padded, 0, axis=0)[padded[1:] != value].min())}


@pytest.mark.parametrize(
    ("photometric", "shape", "fits"),
    [
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME2", "IDENTITY", True),
        ("MONOCHROME2", "INVERSE", False),
        ("MONOCHROME1", "IDENTITY", False),
    ],
)
def test_a_contradiction_on_what_is_bright_is_told(write, photometric, shape, fits):
    tags = {"PhotometricInterpretation": photometric, "PresentationLUTShape": shape, "PixelSpacing": [1, 1]}
    notes = " ".join(read_volume(write(**tags)).notes)
    assert ("PresentationLUTShape" in notes) == (not fits)


def test_without_a_size_the_shape_of_a_pixel_is_kept(write):
    volume = read_volume(write(PixelAspectRatio=[3, 2]))
    assert volume.grid.spacing_mm[:2] == pytest.approx((1.0, 1.5))
    assert "1.5 times as high as wide" in volume.notes[1]
    assert read_volume(write(PixelAspectRatio=[1, 1])).grid.spacing_mm[:2] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("tags", "spacing_mm", "words"),
    [
        ({"ImagerPixelSpacing": [0.2, 0.3]}, (0.3, 0.2), "at the detector"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1.1}, (0.2, 0.2), "1.1"),
        ({"ImagerPixelSpacing": [0.2, 0.2], "PixelSpacing": [0.2, 0.2]}, (0.2, 0.2), "at the detector"),
        (
            {
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacing": [0.18, 0.18],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            (0.18, 0.18),
            "calibrated: fiducial",
        ),
        ({"NominalScannedPixelSpacing": [0.17, 0.17]}, (0.17, 0.17), "scanned film"),
        ({}, (1.0, 1.0), "taken as 1 mm"),
    ],
)
def test_where_the_size_of_a_pixel_comes_from(write, tags, spacing_mm, words):
    volume = read_volume(write(**tags))
    assert volume.grid.spacing_mm[:2] == pytest.approx(spacing_mm)
    assert len(volume.notes) == 1
    assert words in volume.notes[0]


@pytest.mark.parametrize(("orientation", "turn"), [(["R", "F"], np.fliplr), (["L", "H"], np.flipud)])
def test_a_mirrored_picture_is_cut_as_the_others(write, orientation, turn):
    usual = prepare_scan(read_volume(write("a.dcm", PixelSpacing=[1, 1])), "xray", "axial", 32).images[0]
    volume = read_volume(write("a.dcm", PixelSpacing=[1, 1], PatientOrientation=orientation))
    assert "laid accordingly" in volume.notes[0]
    np.testing.assert_allclose(prepare_scan(volume, "xray", "axial", 32).images[0], turn(usual), atol=1)


def test_a_lateral_picture_stays_as_it_is(write, stored):
    volume = read_volume(write(PatientOrientation=["A", "F"], PixelSpacing=[1, 1]))
    assert axis_codes(volume.grid) == "LPS"
    assert volume.notes == ()


def test_of_several_pictures_one_must_be_named(write, stored, tmp_path):
    write("a.dcm")
    path = write("bb.dcm", PixelSpacing=[0.5, 0.5])
    with pytest.raises(DataError, match="2 X-ray pictures"):
        read_volume(tmp_path)
    for volume in (read_volume(path), read_volume(tmp_path, series="2"), read_volume(tmp_path, series="1.2.3.6")):
        assert volume.grid.spacing_mm[0] == 0.5


def test_raw_and_burned_in_are_told(write):
    tags = {"PresentationIntentType": "FOR PROCESSING", "BurnedInAnnotation": "YES", "PixelSpacing": [1, 1]}
    notes = " ".join(read_volume(write(sop_class=f"{DX}.1", **tags)).notes)
    assert "for processing" in notes
    assert "burned" in notes


def test_colours_frames_and_damage_are_refused(write, tmp_path):
    with pytest.raises(DataError, match="RGB"):
        read_volume(write(PhotometricInterpretation="RGB"))
    with pytest.raises(DataError, match="2 frames"):
        read_volume(write(NumberOfFrames=2))
    with pytest.raises(DataError, match="two positive lengths"):
        read_volume(write(ImagerPixelSpacing=[0.2, 0]))
    path = write()
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"cxr\.dcm"):
        read_volume(path)
