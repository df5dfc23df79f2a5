"""A compression that cannot be decoded is named with what would decode it."""

import tomllib

import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage
from source_tree import ROOT

from medsegan.errors import DataError, MedseganError
from medsegan.imaging.dicom import pixels
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


PLUGINS = {
    **dict.fromkeys(["50", "51", "53", "55", "57", "70"], "python-gdcm"),
    **dict.fromkeys(["80", "81"], "pyjpegls"),
    **dict.fromkeys(["90", "91", "92", "93", "201", "202", "203"], "pylibjpeg-openjpeg"),
}


@pytest.mark.parametrize(("kind", "plugin"), PLUGINS.items())
def test_without_its_decoder_the_uid_the_plugin_and_the_extra_are_named(tmp_path, monkeypatch, kind, plugin):
    monkeypatch.setattr(pixels, "_needs_other_decoder", lambda dataset, syntax: True)
    syntax = f"1.2.840.10008.1.2.4.{kind}"
    write_undecodable(tmp_path / "a.dcm", syntax)
    with pytest.raises(DataError) as caught:
        read_pixels(tmp_path / "a.dcm")
    for part in (syntax, plugin, 'pip install "medsegan[dicom]"', "a.dcm"):
        assert part in str(caught.value)
    assert "pylibjpeg-libjpeg" not in str(caught.value)


def test_the_extra_holds_every_plugin_that_is_named():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extra = " ".join(project["project"]["optional-dependencies"]["dicom"])
    assert all(plugin in extra for plugin in PLUGINS.values())


def test_without_a_plugin_conversion_is_advised():
    advice = advice_on(UID("1.2.840.10008.1.2.4.102"))
    assert "pip install" not in advice
    assert "convert the series to an uncompressed syntax" in advice
