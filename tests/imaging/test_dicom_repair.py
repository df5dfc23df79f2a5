"""Sheared and uneven stacks come out straight and even, with every voxel at its place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsegan.errors import DataError
from medsegan.imaging import read_series
from medsegan.imaging.dicom.spacing import Spacing
from medsegan.imaging.dicom.straighten import Straightening


def tilted(slices, degrees, along="column", **changes):
    """Slices whose positions run straight along z while their planes are turned."""
    angle = np.radians(degrees)
    turned = (0.0, float(np.cos(angle)), float(np.sin(angle)))
    if along == "row":
        turned = (float(np.cos(angle)), 0.0, float(np.sin(angle)))
        return slices.stack(along_row=turned, **changes)
    return slices.stack(along_column=turned, **changes)


@pytest.mark.parametrize("degrees", [-25.0, -3.0, 0.6, 7.5, 30.0])
@pytest.mark.parametrize("along", ["row", "column"])
def test_a_tilted_stack_is_straightened(slices, write_specs, degrees, along):
    specs = tilted(slices, degrees, along, tags={"GantryDetectorTilt": 0.0})
    volume = read_series(write_specs(specs))
    off, is_filled = slices.off(volume)
    assert off[~is_filled].max() <= 2.5
    assert volume.grid.spacing_mm[2] == pytest.approx(2.5 * np.cos(np.radians(degrees)))
    assert f"gantry tilt of {abs(degrees):.2f} degrees" in volume.notes[0]
    # no slice lost a voxel but for less than half a pixel at its outermost rows
    assert (~is_filled).sum() >= 0.97 * 12 * 40 * 32


def test_a_tilt_in_the_tag_alone_changes_nothing(slices, write_specs):
    volume = read_series(write_specs(slices.stack(tags={"GantryDetectorTilt": 20.0})))
    assert slices.off(volume)[0].max() <= 1
    assert volume.notes == ()


def test_a_tilt_that_no_gantry_has_is_refused_with_its_angle(slices, write_specs):
    with pytest.raises(DataError, match=r"tilted by 60\.00 degrees"):
        read_series(write_specs(tilted(slices, 60)))


def test_tilt_and_a_gap_are_repaired_together(slices, write_specs):
    specs = tilted(slices, 15)
    del specs[4]
    folder = write_specs(specs)
    with pytest.raises(DataError, match="--fix-gaps"):
        read_series(folder)
    volume = read_series(folder, fix_gaps=True)
    off, is_filled = slices.off(volume)
    between = volume.array[:, :, 4]
    assert volume.array.shape == (32, 47, 12)
    assert np.delete(off, 4, axis=2)[~np.delete(is_filled, 4, axis=2)].max() <= 2.5
    inside = ~(is_filled[:, :, 3] | is_filled[:, :, 5])
    assert np.abs(off[:, :, 4][inside]).max() <= 2.5
    assert between.min() >= -1024
    assert len(volume.notes) == 2


def test_gaps_that_would_be_mostly_made_up_are_refused_all_the_same(slices, write_specs):
    specs = slices.stack(4)
    specs.append(slices.slice(slices.origin + np.array([0.0, 0.0, 60.0]), number=5))
    with pytest.raises(DataError, match=r"5 slices would become 25.*52\.500 mm after position 7\.500"):
        read_series(write_specs(specs), fix_gaps=True)


def test_two_slices_at_one_height_are_refused_all_the_same(slices, write_specs):
    specs = slices.stack()
    specs.append(slices.slice(slices.origin + np.array([0.0, 0.0, 5.015]), number=13))
    with pytest.raises(DataError, match=r"0\.015 mm apart at position 5\.000"):
        read_series(write_specs(specs), fix_gaps=True)


def test_even_slices_are_untouched_by_fix_gaps(slices, write_specs):
    folder = write_specs(slices.stack())
    plain, asked = read_series(folder), read_series(folder, fix_gaps=True)
    assert np.array_equal(plain.array, asked.array)
    assert asked.notes == ()


def test_padding_below_air_does_not_bleed_into_what_is_interpolated(slices, write_specs):
    specs = slices.stack(intercept=-3024.0)
    del specs[5]
    specs[4].added_hu = -2000
    volume = read_series(write_specs(specs), fix_gaps=True)
    assert volume.array.min() >= -1024


@given(
    heights=st.lists(st.floats(0.3, 6.0), min_size=2, max_size=12),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=60)
def test_a_field_linear_along_the_normal_is_kept(heights, seed):
    along = np.concatenate([[0.0], np.cumsum(heights)])
    spacing = Spacing(along)
    n_even = max(2, round(along[-1] / spacing.usual_mm) + 1)
    step_mm = along[-1] / (n_even - 1)
    slope = np.random.default_rng(seed).normal(size=(3, 4, 1))
    array = (slope * along).astype(np.float32)
    straight = Straightening(np.zeros((len(along), 2)), along / step_mm, (3, 4, n_even), 1e-6)
    even = straight.apply(array, 0.0)
    assert even == pytest.approx(slope * step_mm * np.arange(n_even), abs=1e-4)


@pytest.mark.parametrize(
    ("along", "usual"),
    [([0, 1, 2, 3, 5, 6], 1.0), ([0, 2.5, 5, 7.5, 10, 15, 20, 25, 30, 35], 2.5), ([0, 5, 10, 10.4, 15, 20], 5.0)],
)
def test_the_usual_step_is_the_smallest_that_is_frequent(along, usual):
    assert Spacing(np.array(along, dtype=np.float64)).usual_mm == pytest.approx(usual)
