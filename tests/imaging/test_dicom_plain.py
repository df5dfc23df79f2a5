"""The short way through an ordinary DICOM file says what pydicom says, or nothing."""

import dataclasses
from pathlib import Path
from unittest import mock

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from medsegan.errors import MedseganError
from medsegan.geometry import Grid
from medsegan.imaging import (
    Volume,
    detect_modality,
    read_outline,
    read_series,
    read_volume,
    write_series,
    write_volume,
)
from medsegan.imaging.dicom import header as header_module
from medsegan.imaging.dicom.header import read_headers


def by_pydicom():
    """A context in which no file is ordinary."""
    return mock.patch.object(header_module._PLAIN, "read", return_value=None)


def headers_without_native(path):
    return [dataclasses.replace(header, native=None) for header in read_headers(path)]


def is_ordinary(path):
    return header_module._PLAIN.read(path) is not None


def with_ballast(dataset):
    """Sequences of undefined length in each other, empty elements, and a private group."""
    inner, outer = Dataset(), Dataset()
    inner.CodeValue, inner.ImagePositionPatient = "1", [7, 7, 7]
    outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner])
    dataset.ReferencedImageSequence = Sequence([outer, Dataset(), outer])
    for part in (dataset["ReferencedImageSequence"], outer["PurposeOfReferenceCodeSequence"]):
        part.is_undefined_length = True
    outer.is_undefined_length_sequence_item = True
    dataset.DerivationCodeSequence = Sequence([inner])
    dataset.AcquisitionTime, dataset.EchoTime = "", None
    block = dataset.private_block(0x0029, "BALLAST", create=True)
    block.add_new(1, "OB", bytes(70_000))
    block.add_new(2, "UT", "text" * 20)


@pytest.fixture
def one_slice(slices, write_specs):
    """The path of a slice, and a function that rewrites it."""
    path = sorted(write_specs(slices.stack(n_slices=1)).iterdir())[0]

    def rewrite(change, *, implicit=False):
        dataset = pydicom.dcmread(path)
        change(dataset)
        if implicit:
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        with pydicom.config.disable_value_validation():
            dataset.save_as(path, implicit_vr=implicit, little_endian=True)
        return path

    return rewrite


@pytest.mark.parametrize("implicit", [False, True])
def test_nested_sequences_and_long_private_elements_are_stepped_over(one_slice, implicit):
    path = one_slice(with_ballast, implicit=implicit)
    assert is_ordinary(path)
    assert read_headers(path)[0].native is not None
    with by_pydicom():
        expected = headers_without_native(path)
    assert headers_without_native(path) == expected
    assert len(expected[0].position) == 3


@pytest.mark.parametrize("group", ["pydicom", "wado_ct_16_syntaxes", "dicom2nifti"])
def test_real_files_have_the_headers_that_pydicom_reads(real_scans, group):
    files = [path for path in sorted(real_scans("awkward").joinpath(group).rglob("*")) if is_ordinary(path)]
    assert files
    for path in files:
        with by_pydicom():
            expected = headers_without_native(path)
        assert headers_without_native(path) == expected


def promise_another_class(dataset):
    dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage


def name_rows_twice_as_wide(dataset):
    dataset["Rows"].VR = "UL"


@pytest.mark.parametrize("change", [promise_another_class, name_rows_twice_as_wide])
def test_contradictions_are_left_to_pydicom(one_slice, change):
    assert not is_ordinary(one_slice(change))


def test_a_header_that_jumps_over_the_pixels_is_left_to_pydicom(one_slice):
    path = one_slice(lambda dataset: None)
    content = path.read_bytes()
    place = content.index(b"\x20\0\x0d\0UI")
    path.write_bytes(content[: place + 1] + b"\x80" + content[place + 2 :])
    assert not is_ordinary(path)


def test_a_cut_header_is_left_to_pydicom(one_slice):
    path = one_slice(with_ballast)
    content = path.read_bytes()
    pixels = read_headers(path)[0].native.offset
    for n_bytes in [*range(132, pixels, 997), pixels - 12]:
        path.write_bytes(content[:n_bytes])
        assert not is_ordinary(path)


def test_pixels_that_are_cut_off_have_no_place(one_slice):
    path = one_slice(with_ballast)
    path.write_bytes(path.read_bytes()[:-2])
    assert is_ordinary(path)
    assert read_headers(path)[0].native is None


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a small slice, and a path to write damaged ones to."""
    folder = tmp_path_factory.mktemp("whole")
    grid = Grid((8, 6, 1), np.diag([-0.8, -0.7, 2.0, 1.0]))
    write_series(Volume(np.zeros(grid.shape, np.int16), grid, "ct"), folder / "series", seed_uid="plain")
    return next((folder / "series").iterdir()).read_bytes(), folder / "damaged.dcm"


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), min_size=1, max_size=3))
def test_damaged_headers_are_read_alike_or_left_to_pydicom(whole, flips):
    content, path = bytearray(whole[0]), whole[1]
    for share, bit in flips:
        content[128 + int(share * (len(content) - 129))] ^= 1 << bit
    path.write_bytes(content)
    if is_ordinary(path):
        found = outcome(path)
        with by_pydicom():
            assert found == outcome(path)


def outcome(path):
    try:
        return headers_without_native(path)
    except MedseganError as error:
        return type(error)


SCALES = [(1.0, -1024.0), (2.0, 7.0), (-1.0, 50.0), (0.05, 1.5), (1.0, 0.25), (30.0, 0.0)]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("modality", ["ct", "mr"])
def test_pixels_read_in_place_are_those_of_the_decoder(slices, write_specs, scale, signed, modality):
    rng = np.random.default_rng(3)
    folder = write_specs(slices.stack(n_slices=6, signed=signed))
    for number, path in enumerate(sorted(folder.iterdir())):
        _fill(path, rng, number, (*scale, signed, modality))
    short = read_series(folder)
    with by_pydicom():
        long = read_series(folder)
    assert short.array.dtype == long.array.dtype
    assert np.array_equal(short.array, long.array)
    assert short.notes == long.notes
    assert short.grid == long.grid or np.array_equal(short.grid.world_from_voxel, long.grid.world_from_voxel)


def _fill(path: Path, rng: np.random.Generator, number: int, kind: tuple[float, float, bool, str]) -> None:
    """Noise over all bits or twelve of them, with padding of every kind, in one slice."""
    slope, intercept, signed, modality = kind
    dataset = pydicom.dcmread(path)
    n_bits = 12 if number % 2 else 16
    low, high = (-(1 << n_bits - 1), 1 << n_bits - 1) if signed else (0, 1 << n_bits)
    stored = rng.integers(low, high, (dataset.Rows, dataset.Columns))
    dataset.BitsStored, dataset.HighBit = n_bits, n_bits - 1
    dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
    if number >= 2:
        padding = int(stored[number].flat[0])
        dataset.add_new("PixelPaddingValue", "SS" if signed else "US", padding)
    if number >= 4:
        dataset.add_new("PixelPaddingRangeLimit", "SS" if signed else "US", int(stored.flat[7]))
    if modality == "mr":
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
    dataset.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    dataset.save_as(path)


def test_an_outline_is_what_the_volume_will_be(slices, write_specs):
    folder = write_specs(slices.stack())
    outline, volume = read_outline(folder), read_volume(folder)
    assert (outline.modality, outline.grid.shape) == (volume.modality, volume.grid.shape)
    assert np.array_equal(outline.grid.world_from_voxel, volume.grid.world_from_voxel)
    assert detect_modality(outline) == detect_modality(volume)


def test_other_files_have_no_outline(tmp_path):
    grid = Grid((3, 4, 5), np.eye(4))
    write_volume(Volume(np.zeros(grid.shape, np.int16), grid), tmp_path / "a.nii")
    assert read_outline(tmp_path / "a.nii") is None
