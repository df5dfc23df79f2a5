"""How numbers and files are stored: bits, signs, padding, missing headers, indexes."""

import numpy as np
import pydicom
import pytest

from medsegan.errors import DataError
from medsegan.imaging import is_dicom_file, read_series, read_volume


def test_signed_and_unsigned_slices_in_one_series(slices, write_specs):
    specs = slices.stack()
    for spec in specs[::2]:
        spec.signed, spec.intercept = True, 0.0
    volume = read_series(write_specs(specs))
    assert slices.off(volume)[0].max() <= 1
    assert volume.notes == (
        "the slices are stored differently (16 bits unsigned, 16 bits signed); each was read by its own header",
    )


def test_bits_stored_may_change_within_a_series(slices, write_specs):
    specs = slices.stack()
    for spec in specs[:4]:
        spec.tags = {"BitsStored": 12, "HighBit": 11}
    volume = read_series(write_specs(specs))
    assert slices.off(volume)[0].max() <= 1
    assert "12 bits unsigned, 16 bits unsigned" in volume.notes[0]


def edit(folder, change, **where):
    for path in sorted(folder.iterdir())[: where.get("count")]:
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)


def with_overlay_bits(dataset):
    dataset.BitsStored, dataset.HighBit = 12, 11
    stored = np.frombuffer(dataset.PixelData, "<u2").copy()
    stored[::3] |= 0x1000
    dataset.PixelData = stored.tobytes()


def test_an_overlay_above_the_stored_bits_is_cut_off(slices, write_specs):
    def change(dataset):
        with_overlay_bits(dataset)
        dataset.add_new(0x60000100, "US", 16)
        dataset.add_new(0x60000102, "US", 12)

    folder = write_specs(slices.stack())
    edit(folder, change)
    assert slices.off(read_series(folder))[0].max() <= 1


def test_undeclared_bits_above_the_stored_ones_are_refused(slices, write_specs):
    folder = write_specs(slices.stack())
    edit(folder, with_overlay_bits)
    with pytest.raises(DataError, match="more than the 12 bits"):
        read_series(folder)


@pytest.mark.parametrize("tags", [{"HighBit": 14}, {"BitsStored": 17, "HighBit": 16}, {"BitsStored": 12}])
def test_bits_that_contradict_each_other_are_refused(slices, write_specs, tags):
    with pytest.raises(DataError, match="contradict"):
        read_series(write_specs(slices.stack(tags=tags)))


def put_padding(value, n_bits=16):
    def change(dataset):
        stored = np.frombuffer(dataset.PixelData, "<u2").reshape(40, 32).copy()
        stored[:5] = value
        dataset.PixelData = stored.tobytes()
        dataset.BitsStored, dataset.HighBit = n_bits, n_bits - 1
        dataset.add_new("PixelPaddingValue", "US", value)

    return change


@pytest.mark.parametrize("n_bits", [12, 16])
def test_padding_above_tissue_is_air(slices, write_specs, n_bits):
    folder = write_specs(slices.stack())
    edit(folder, put_padding(63536, n_bits))
    volume = read_series(folder)
    assert (volume.array[:, :5] == -1024).all()
    assert slices.off(volume)[0][:, 5:].max() <= 1
    assert volume.array.dtype == np.int16


def test_padding_that_tissue_could_have_is_not_believed(slices, write_specs):
    folder = write_specs(slices.stack(signed=True, intercept=0.0, tags={"PixelPaddingValue": 0}))
    assert slices.off(read_series(folder))[0].max() <= 1


def test_one_odd_slope_is_said_and_slopes_of_their_own_are_not(slices, write_specs):
    specs = slices.stack()
    specs[3].intercept = -1000.0
    volume = read_series(write_specs(specs))
    assert slices.off(volume)[0].max() <= 1
    assert "1 slices have another slope or intercept than the others" in volume.notes[0]


def test_ct_without_a_slope_is_said(slices, write_specs):
    folder = write_specs(slices.stack(signed=True, intercept=0.0))

    def change(dataset):
        del dataset.RescaleIntercept

    edit(folder, change)
    volume = read_series(folder)
    assert slices.off(volume)[0].max() <= 1
    assert "12 CT slices lack RescaleSlope or RescaleIntercept" in volume.notes[0]


@pytest.mark.parametrize("suffix", ["", ".dcm", ".001"])
@pytest.mark.parametrize("n_kept", ["data set alone", "meta header without preamble"])
def test_files_without_preamble_are_read(slices, write_specs, suffix, n_kept):
    folder = write_specs(slices.stack())
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        first = whole.index(b"\x08\x00\x08\x00CS") if n_kept == "data set alone" else 132
        path.unlink()
        path.with_suffix(suffix).write_bytes(whole[first:])
    assert all(is_dicom_file(path) for path in folder.iterdir())
    volume = read_series(folder)
    assert slices.off(volume)[0].max() <= 1
    assert volume.notes == ()


def test_text_that_begins_by_chance_like_dicom_is_left_out(slices, write_specs):
    folder = write_specs(slices.stack())
    (folder / "notes").write_bytes(b"\x08\0\x08\0 this is no data set")
    volume = read_series(folder)
    assert slices.off(volume)[0].max() <= 1
    assert volume.notes == ("left out 1 files that are not DICOM",)


def test_a_dicomdir_stands_for_its_folder(slices, write_specs):
    folder = write_specs(slices.stack())
    (folder.parent / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    volume = read_volume(folder.parent / "DICOMDIR")
    assert slices.off(volume)[0].max() <= 1
    assert volume.notes == ()
