"""Several oddities at once, drawn at random: what is read is right at its place, and nothing is lost unsaid."""

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pydicom.uid import MRImageStorage
from series_outcomes import MOST_HU, right
from series_outcomes import require as require_outcome

from medsegan.errors import DataError, InputError
from medsegan.imaging import Volume, read_series

N_DRAWN = 48
SAID = ("left out", "dropped", "resampled to")
CONTRASTS = (
    *({"EchoTime": 80}, {"DiffusionBValue": 800.0}, {"ConvolutionKernel": "B70f"}, {"AcquisitionNumber": 2}),
    *(
        {"TemporalPositionIdentifier": 2},
        {"StudyInstanceUID": "1.2.9"},
        {"ImageType": ["DERIVED", "PRIMARY", "MIP"]},
    ),
)


def some(specs, rng):
    """Half of the slices at random, or one end of the stack."""
    if rng.random() < 0.5:
        return rng.sample(range(len(specs)), len(specs) // 2)
    return range(rng.randrange(1, len(specs)), len(specs))


def drop(specs, rng):
    return [
        spec for index, spec in enumerate(specs) if index not in rng.sample(range(len(specs)), rng.randint(1, 4))
    ]


def repeat(specs, rng):
    return [*specs, *rng.sample(specs, rng.randint(1, len(specs)))]


def another_volume(specs, rng):
    tags, move = rng.choice(CONTRASTS), np.array([0, 0, rng.choice([0, 0, 1.25, 5.0, 30.0])])
    return [
        *specs,
        *(replace(s, position=s.position + move, added_hu=100, tags={**s.tags, **tags}) for s in specs),
    ]


def another_contrast(specs, rng):
    tags, which = (
        rng.choice([tags for tags in CONTRASTS if "AcquisitionNumber" not in tags]),
        set(some(specs, rng)),
    )
    return [
        replace(spec, added_hu=100, tags={**spec.tags, **tags}) if index in which else spec
        for index, spec in enumerate(specs)
    ]


def turned_over(specs, rng):
    which = set(some(specs, rng))
    return [
        replace(
            spec,
            position=spec.position + (spec.matrix[0] - 1) * spec.pixel_spacing[0] * np.array(spec.along_column),
            along_column=tuple(-np.array(spec.along_column)),
        )
        if index in which
        else spec
        for index, spec in enumerate(specs)
    ]


def tilted(specs, rng):
    angle = np.radians(rng.uniform(-30, 30))
    column = (0.0, float(np.cos(angle)), float(np.sin(angle)))
    return [replace(spec, along_column=column) for spec in specs]


def jittered(specs, rng):
    amount = rng.choice([1e-3, 0.01, 0.05, 0.5])
    return [
        replace(spec, position=spec.position + np.array([rng.uniform(-amount, amount) for _ in range(3)]))
        for spec in specs
    ]


def of_other_pixels(specs, rng):
    which = set(some(specs, rng))
    return [replace(spec, pixel_spacing=(0.8, 0.9)) if i in which else spec for i, spec in enumerate(specs)]


def scaled(specs, rng):
    return [
        replace(spec, slope=rng.choice([1.0, 0.5, 0.25]), signed=rng.random() < 0.3, intercept=-1024.0)
        for spec in specs
    ]


def of_mr(specs, rng):
    return [replace(spec, sop_class=MRImageStorage, tags={**spec.tags, "Modality": "MR"}) for spec in specs]


EDITS: tuple[Callable, ...] = (
    *(drop, repeat, another_volume, another_contrast, turned_over),
    *(tilted, jittered, of_other_pixels, scaled, of_mr),
)


def is_right(volume: Volume, off) -> bool:
    """Whether every voxel that a slice reached belongs to one volume and lies where it says."""
    fill = -1024 if volume.modality == "ct" else min(0, volume.array.min())
    reached = volume.array != fill
    is_mixed = any("acquisitions lie end to end" in note for note in volume.notes)
    if is_mixed:  # as is said, and so of what was interpolated between them
        reached[:, :, list(volume.made_up)] = False
    lifted = [Volume(volume.array.astype(np.float64) - added, volume.grid) for added in (0, 100)]
    distances = [off(one)[0][reached] for one in lifted]
    if is_mixed:
        return bool(np.min(distances, axis=0).max() <= MOST_HU)
    return any(distance.max() <= MOST_HU for distance in distances)


@pytest.mark.parametrize("part", range(4))
def test_combinations_are_right_or_refused(slices, write_specs, part):
    rng, n_read = random.Random(part), 0
    for _ in range(N_DRAWN // 4):
        drawn = rng.sample(EDITS, rng.randint(1, 3))
        specs = slices.stack(signed=True, intercept=0.0)
        for edit in drawn:
            specs = edit(specs, rng)
        rng.shuffle(specs)
        folder, names = write_specs(specs), [edit.__name__ for edit in drawn]
        for asked in ({}, {"fix_gaps": True}, {"series": "1"}, {"series": "2", "fix_gaps": True}):
            try:
                volume = read_series(folder, **asked)
            except (DataError, InputError):
                continue
            n_read += 1
            assert is_right(volume, slices.off), (names, asked, volume.notes)
            n_places = len({tuple(np.round(spec.position, 4)) for spec in specs})
            is_whole = volume.array.shape[2] >= n_places or "series" in asked
            assert is_whole or any(word in " ".join(volume.notes) for word in SAID), names
        for path in folder.iterdir():
            path.unlink()
    assert n_read >= N_DRAWN / 8


@pytest.mark.parametrize("seed", range(12))
def test_any_direction_is_right(slices, write_specs, seed):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    step_mm = rng.choice([-1, 1]) * rng.uniform(0.4, 7)
    specs = slices.stack(along_row=tuple(turn[:, 0]), along_column=tuple(turn[:, 1]))
    spacing = tuple(np.round(rng.uniform(0.4, 1.5, 2), 5))
    thickness = {"SliceThickness": abs(step_mm)}
    normal = np.cross(turn[:, 0], turn[:, 1])
    moved = [
        replace(spec, position=slices.origin + k * step_mm * normal, pixel_spacing=spacing, tags=thickness)
        for k, spec in enumerate(specs)
    ]
    require_outcome(right(), write_specs(moved), slices.off)
