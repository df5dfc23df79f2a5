"""Damaged files: an error that a user can mend, or the right volume, or one that says what it left out."""

import random
import zipfile

import numpy as np
import pytest

from medsegan.errors import DataError, InputError
from medsegan.imaging import read_volume

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
