"""A compression that cannot be decoded is named with what would decode it."""

import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage

from medsegan.errors import MedseganError
from medsegan.imaging.dicom.decoders import advice_on
from medsegan.imaging.dicom.pixels import read_pixels


def write_undecodable(path, syntax):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, "1.2.3"
    meta.TransferSyntaxUID = UID(syntax)
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 16, 16, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation, dataset.PhotometricInterpretation = 0, "MONOCHROME2"
    noise = np.random.default_rng(0).integers(0, 255, 300).astype(np.uint8).tobytes()
    dataset.PixelData = encapsulate([noise])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize(
    "kind", ["50", "51", "57", "70", "80", "81", "90", "91", "92", "93", "100", "102", "201", "202", "203"]
)
def test_what_cannot_be_decoded_is_an_error_with_its_uid(tmp_path, kind, capfd):
    syntax = f"1.2.840.10008.1.2.4.{kind}"
    write_undecodable(tmp_path / "a.dcm", syntax)
    with pytest.raises(MedseganError) as caught:
        read_pixels(tmp_path / "a.dcm")
    assert syntax in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "package"),
    [("70", "python-gdcm"), ("80", "pyjpegls"), ("91", "pylibjpeg-openjpeg"), ("201", "pylibjpeg-openjpeg")],
)
def test_the_package_is_named_and_is_free(kind, package):
    assert package in advice_on(UID(f"1.2.840.10008.1.2.4.{kind}"))
    assert "pylibjpeg-libjpeg" not in advice_on(UID(f"1.2.840.10008.1.2.4.{kind}"))


def test_without_a_package_conversion_is_advised():
    assert advice_on(UID("1.2.840.10008.1.2.4.102")) == "convert the series to an uncompressed syntax"
