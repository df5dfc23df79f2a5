"""Damaged files: an error that a user can mend, or the right volume, or one that says what it left out."""

import random
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from medsegan.errors import DataError, InputError
from medsegan.imaging import read_volume
from medsegan.imaging.dicom.header import element_numbers

N_DAMAGES = 100


def require_honest(path, clean, n_off):
    """Whether the damage was refused; whatever else comes out must be right or say that it is not whole."""
    try:
        volume = read_volume(path)
    except (InputError, DataError):
        return True
    is_same = volume.array.shape == clean.array.shape and np.array_equal(
        volume.grid.world_from_voxel, clean.grid.world_from_voxel
    )
    is_same = is_same and np.count_nonzero(volume.array != clean.array) <= n_off
    assert is_same or volume.notes, "a wrong volume without a note"
    return False


def header_length(content):
    """Bytes before the pixels themselves; their tag, representation and length are of the header."""
    return content.rindex(b"\xe0\x7f\x10\x00OW") + 12


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("kind", ["cut", "bit"])
def test_damage_to_one_slice_is_never_a_silent_error(slices, write_specs, kind, part):
    folder = write_specs(slices.stack())
    clean = read_volume(folder)
    rng = random.Random(f"{kind}{part}")
    n_refused = 0
    for _ in range(N_DAMAGES // 4):
        path = folder / f"IM{rng.randrange(12):04d}.dcm"
        content = path.read_bytes()
        if kind == "cut":
            damaged = content[: rng.randrange(len(content))]
        else:
            changed = bytearray(content)
            changed[rng.randrange(header_length(content))] ^= 1 << rng.randrange(8)
            damaged = bytes(changed)
        path.write_bytes(damaged)
        n_refused += require_honest(folder, clean, 0)
        path.write_bytes(content)
    assert n_refused == N_DAMAGES // 4 if kind == "cut" else n_refused > 0


@pytest.mark.parametrize("kind", ["cut", "bit"])
def test_damage_to_an_archive_is_never_a_silent_error(slices, write_specs, tmp_path, kind):
    folder = write_specs(slices.stack(4))
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for file in sorted(folder.iterdir()):
            target.write(file, file.name)
    clean, content = read_volume(path), path.read_bytes()
    rng = random.Random(kind)
    n_refused = 0
    for _ in range(N_DAMAGES):
        changed = bytearray(content)
        changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content[: rng.randrange(len(content))] if kind == "cut" else changed)
        n_refused += require_honest(path, clean, 0)
    assert n_refused >= N_DAMAGES / 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1.0\\2.x5", r"PixelSpacing is '1\.0\\\\2\.x5', expected numbers"),
        ("1.0 \x10\x00\x10\x00PN DOE^JANE", r"PixelSpacing is '1\.0 .*PN \.\.\.\^\.\.\.', expected numbers"),
        ("1.0 DOE^JANE" * 20, r"PixelSpacing is a text of 240 characters, expected numbers"),
    ],
)
def test_a_damaged_value_is_shown_but_no_name_behind_it(value: str, message: str) -> None:
    """Where the length of an element is damaged, those that follow are in its value."""
    dataset = pydicom.Dataset()
    dataset[0x0028, 0x0030] = RawDataElement(
        Tag(0x0028, 0x0030), "DS", len(value), value.encode(), 0, False, True, True
    )
    with pytest.raises(DataError, match=message):
        element_numbers(dataset, "PixelSpacing", Path("slice.dcm"))
