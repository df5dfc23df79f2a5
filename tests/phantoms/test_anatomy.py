"""Patients are plausible, varied and drawn from one distribution, whatever they are scanned with."""

from collections import Counter

import numpy as np
import pytest

from medsegan.phantoms.anatomy import ORGANS, RARE, Anatomy, sample_anatomy


def patients(n: int, seed: int = 0) -> list[Anatomy]:
    return [sample_anatomy(np.random.default_rng([seed, index])) for index in range(n)]


def test_the_same_generator_state_gives_the_same_patient() -> None:
    first, second = (sample_anatomy(np.random.default_rng(7)) for _ in range(2))
    assert first.wall == second.wall
    assert first.organs["liver_right"].centre == second.organs["liver_right"].centre
    assert (
        first.organs["liver_right"].centre != sample_anatomy(np.random.default_rng(8)).organs["liver_right"].centre
    )


def test_rare_variants_are_as_rare_as_the_table_says() -> None:
    n = 1500
    found = Counter(name for patient in patients(n) for name in patient.variants)
    for name, chance in RARE.items():
        spread = 4 * np.sqrt(chance * (1 - chance) / n)
        assert abs(found[name] / n - chance) < spread, name


def test_a_missing_kidney_has_no_entry_and_everybody_else_has_all_organs() -> None:
    for patient in patients(300):
        missing = set(ORGANS) - set(patient.organs)
        if "missing_kidney" in patient.variants:
            assert len(missing) == 1
            assert missing <= {"right_kidney", "left_kidney"}
        else:
            assert not missing


def test_splenomegaly_is_larger_than_an_ordinary_spleen() -> None:
    volumes: dict[bool, list[float]] = {True: [], False: []}
    for patient in patients(400):
        volumes["splenomegaly" in patient.variants].append(float(np.prod(patient.organs["spleen"].radii)))
    assert np.median(volumes[True]) > 1.5 * np.median(volumes[False])


@pytest.mark.parametrize("name", ["spleen", "left_kidney", "right_kidney", "liver_right"])
def test_organs_differ_between_patients_and_lie_inside_the_body(name: str) -> None:
    with_organ = [patient for patient in patients(200) if name in patient.organs]
    centres = np.array([patient.organs[name].centre for patient in with_organ])
    assert (centres.std(axis=0) > 3.0).all()
    for patient, (x, y, _) in zip(with_organ, centres, strict=True):
        half_x, half_y = patient.wall.cavity
        assert (x / half_x) ** 2 + (y / half_y) ** 2 < 1.0


def test_bodies_are_as_wide_as_people() -> None:
    widths = np.array([2 * patient.wall.half_width for patient in patients(300)])
    assert 300.0 < np.median(widths) < 340.0
    assert widths.min() > 240.0
    assert widths.max() < 420.0
