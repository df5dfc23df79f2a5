"""Where slices lie, in more ways than scanners have: right by the world position of every voxel, or refused."""

import random
from dataclasses import replace

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from series_outcomes import Outcome, refused, require, right


def turned(slices, along_row, along_column, n_slices=12, step_mm=2.5, shear=(0.0, 0.0)):
    """A stack along the normal of any two directions, each slice moved by `shear` pixels against the one below."""
    row, column = np.array(along_row, dtype=float), np.array(along_column, dtype=float)
    step = step_mm * np.cross(row, column) + 0.9 * (shear[0] * row + shear[1] * column)
    return [
        slices.slice(np.array([-8.0, -9.0, 4.0]) + index * step, tuple(row), tuple(column), number=index + 1)
        for index in range(n_slices)
    ]


def oblique():
    """Directions turned about all three axes."""
    from_axes = np.eye(3)
    for (one, other), angle in zip(((0, 1), (1, 2), (0, 2)), (0.3, -0.5, 0.4), strict=True):
        turn = np.eye(3)
        turn[[one, other], [one, other]] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        from_axes = turn @ from_axes
    return from_axes[:, 0], from_axes[:, 1]


def at_heights(slices, heights, **changes):
    place = slices.origin
    return [slices.slice(place + np.array([0, 0, height]), **changes) for height in heights]


def changed(slices, which, **changes):
    """The usual stack, some slices of it with other tags or other fields."""
    specs = slices.stack()
    for index in which:
        specs[index] = replace(specs[index], **changes)
    return specs


def tagged(slices, which, **tags):
    return changed(slices, which, tags=tags)


def without(slices, *keywords, which=range(12)):
    def remove(dataset):
        for keyword in keywords:
            delattr(dataset, keyword)

    return changed(slices, which, edit=remove)


def words_for_position(dataset):
    dataset[0x00200032] = DataElement(0x00200032, "LO", ["left", "right", "up"])


def noisy_directions(slices, amount):
    rng = np.random.default_rng(2)
    specs = slices.stack()
    for spec in specs:
        column = np.array([0.0, 1.0, 0.0]) + rng.uniform(-amount, amount, 3)
        spec.along_column = tuple(column / np.linalg.norm(column))
    return specs


def flipped(slices, which):
    """The same pixels in space, some slices stored with their columns upside down."""
    specs = slices.stack()
    for index in which:
        specs[index] = replace(
            specs[index],
            position=specs[index].position + np.array([0, 39 * 0.9, 0]),
            along_column=(0.0, -1.0, 0.0),
        )
    return specs


def tilted(slices, degrees, jitter_mm=0.0):
    rng, angle = random.Random(4), np.radians(degrees)
    specs = slices.stack(along_column=(0.0, float(np.cos(angle)), float(np.sin(angle))))
    for spec in specs:
        spec.position = spec.position + np.array([rng.uniform(-jitter_mm, jitter_mm) for _ in range(3)])
    return specs


def missing(slices, *which):
    return [spec for index, spec in enumerate(slices.stack()) if index not in which]


def scout(slices, **tags):
    return slices.slice(np.zeros(3), matrix=(64, 64), pixel_spacing=(1.2, 1.2), number=99, tags=tags)


def curved(slices):
    specs = slices.stack()
    for index, spec in enumerate(specs):
        spec.position = spec.position + np.array([0.1 * index**2, 0, 0])
    return specs


def fanned(slices):
    """Planes turned about a common axis, as rotational acquisitions have them."""
    angles = np.linspace(0, np.pi / 2, 12)
    return [
        slices.slice(np.array([-10.0, -10.0, 0.0]), (float(np.cos(a)), float(np.sin(a)), 0.0), (0.0, 0.0, -1.0))
        for a in angles
    ]


NOT_EVEN = r"not evenly spaced.*--fix-gaps"
SEVERAL = r"holds \d+ series or phases"
SCENES = {
    "two slices": (lambda s: s.stack(2), right(2)),
    "one slice": (lambda s: s.stack(1), right(1, "single slice.*2.5 mm")),
    "sagittal": (lambda s: turned(s, (0, 1, 0), (0, 0, -1)), right()),
    "coronal": (lambda s: turned(s, (1, 0, 0), (0, 0, -1)), right()),
    "prone": (lambda s: turned(s, (-1, 0, 0), (0, -1, 0)), right()),
    "feet first": (lambda s: turned(s, (-1, 0, 0), (0, 1, 0)), right()),
    "decubitus": (lambda s: turned(s, (0, 1, 0), (-1, 0, 0)), right()),
    "oblique about three axes": (lambda s: turned(s, *oblique()), right()),
    "sheared along rows and columns": (lambda s: turned(s, *oblique(), shear=(0.7, -0.4)), right(12, "tilt")),
    "shear below half a degree stays": (lambda s: turned(s, *oblique(), shear=(0.01, -0.01)), right()),
    "directions off by 1e-4": (lambda s: noisy_directions(s, 1e-4), right()),
    "directions off by 5e-4": (lambda s: noisy_directions(s, 5e-4), right()),
    "directions off by a degree": (lambda s: noisy_directions(s, 0.02), refused(SEVERAL)),
    "cosine of 5e-4": (lambda s: s.stack(along_row=(1, 5e-4, 0)), right()),
    "cosine of 0.02": (lambda s: s.stack(along_row=(1, 0.02, 0)), refused("right angle")),
    "directions of zero": (lambda s: s.stack(tags={"ImageOrientationPatient": [0] * 6}), refused("unit vectors")),
    "three directions": (lambda s: s.stack(tags={"ImageOrientationPatient": [1, 0, 0]}), refused("3 numbers")),
    "the last three upside down": (lambda s: flipped(s, (9, 10, 11)), refused(SEVERAL)),
    "every second upside down": (lambda s: flipped(s, range(0, 12, 2)), refused(SEVERAL)),
    "tilt of -15 degrees": (lambda s: tilted(s, -15), right(12, "tilt of 15.00 degrees")),
    "tilt with jitter": (lambda s: tilted(s, 20, 0.005), right(12, "tilt of 20.0")),
    "tilt, a slice missing": (lambda s: tilted(s, -15)[:6] + tilted(s, -15)[7:], refused(NOT_EVEN)),
    "tilt, a slice filled": (
        lambda s: tilted(s, -15)[:6] + tilted(s, -15)[7:],
        right(12, "tilt of 15.00.*1 of them interpolated", fix_gaps=True),
    ),
    "three missing in a row": (lambda s: missing(s, 5, 6, 7), refused(r"10\.000 mm after position 10\.000")),
    "three filled in a row": (
        lambda s: missing(s, 5, 6, 7),
        right(12, "3 of them interpolated", fix_gaps=True),
    ),
    "every second missing from the middle on": (lambda s: missing(s, 6, 8, 10), refused(NOT_EVEN)),
    "every second filled from the middle on": (
        lambda s: missing(s, 6, 8, 10),
        right(12, "3 of them interpolated", fix_gaps=True),
    ),
    "every second missing": (
        lambda s: missing(s, 1, 3, 5, 7, 9, 11),
        right(6, "5 mm apart, but are only 2.5 mm thick"),
    ),
    "the first and the last missing": (lambda s: missing(s, 0, 11), right(10)),
    "the last gap differs": (lambda s: at_heights(s, [0, 2.5, 5, 7.5, 10, 13]), refused(NOT_EVEN)),
    "overlapping slices": (
        lambda s: at_heights(s, np.arange(12) * 1.25, tags={"SliceThickness": 5}),
        right(),
    ),
    "positions off by 1e-3": (
        lambda s: at_heights(s, 2.5 * np.arange(12) + np.random.default_rng(0).uniform(-1e-3, 1e-3, 12)),
        right(),
    ),
    "far from the origin": (
        lambda s: [s.slice(spec.position + np.array([30000, -20000, 0])) for spec in s.stack()],
        right(),
    ),
    "all at one height beside each other": (
        lambda s: [s.slice(s.origin + np.array([40.0 * k, 0, 0])) for k in range(12)],
        refused("not evenly"),
    ),
    "all at one height, gaps to be filled": (
        lambda s: [s.slice(s.origin + np.array([40.0 * k, 0, 0])) for k in range(12)],
        refused("two slices lie", fix_gaps=True),
    ),
    "along a curve": (curved, refused("beside the line")),
    "fanned about an axis": (fanned, refused(SEVERAL)),
    "negative SpacingBetweenSlices": (lambda s: s.stack(tags={"SpacingBetweenSlices": -5.0}), right()),
    "the last two of other pixel spacing": (
        lambda s: changed(s, (10, 11), pixel_spacing=(0.95, 0.95)),
        refused(SEVERAL),
    ),
    "half of other pixel spacing": (lambda s: changed(s, range(6), pixel_spacing=(0.95, 0.95)), refused(SEVERAL)),
    "the last two with rows and columns exchanged": (
        lambda s: changed(s, (10, 11), matrix=(32, 40)),
        refused(SEVERAL),
    ),
    "the last three in another frame of reference": (
        lambda s: tagged(s, (9, 10, 11), FrameOfReferenceUID="1.2.3.10"),
        refused(SEVERAL),
    ),
    "half in another frame of reference": (
        lambda s: tagged(s, range(6), FrameOfReferenceUID="1.2.3.10"),
        refused(SEVERAL),
    ),
    "no frame of reference": (lambda s: without(s, "FrameOfReferenceUID"), right()),
    "no PixelSpacing but that of the detector": (
        lambda s: s.stack(tags={"PixelSpacing": None, "ImagerPixelSpacing": [0.9, 0.9]}),
        refused("PixelSpacing has 0 numbers"),
    ),
    "PixelSpacing of zero": (lambda s: s.stack(tags={"PixelSpacing": [0, 0.9]}), refused("PixelSpacing")),
    "PixelSpacing below zero": (lambda s: s.stack(tags={"PixelSpacing": [-0.9, 0.9]}), refused("PixelSpacing")),
    "one PixelSpacing": (lambda s: s.stack(tags={"PixelSpacing": 0.9}), refused("has 1 numbers")),
    "PixelSpacing with an exponent": (lambda s: s.stack(tags={"PixelSpacing": ["9E-01", "9.0e-1"]}), right()),
    "a position of words": (lambda s: changed(s, (3,), edit=words_for_position), refused("numbers")),
    "a position that is no number": (
        lambda s: tagged(s, (3,), ImagePositionPatient=["nan", "0", "0"]),
        refused("ImagePositionPatient"),
    ),
    "a position without end": (
        lambda s: tagged(s, (3,), ImagePositionPatient=["inf", "0", "0"]),
        refused("ImagePositionPatient"),
    ),
    "a position with an underscore": (
        lambda s: tagged(s, (3,), ImagePositionPatient=["1_2", "0", "0"]),
        refused("ImagePositionPatient"),
    ),
    "one position empty": (lambda s: tagged(s, (11,), ImagePositionPatient=None), refused("has 0 numbers")),
    "no positions": (lambda s: without(s, "ImagePositionPatient"), refused("has 0 numbers")),
    "one direction missing": (lambda s: without(s, "ImageOrientationPatient", which=(11,)), refused(SEVERAL)),
    "no directions": (lambda s: without(s, "ImageOrientationPatient"), refused("has 0 numbers")),
    "a scout without a place": (
        lambda s: [*s.stack(), scout(s, ImagePositionPatient=None, ImageOrientationPatient=None)],
        right(12, "left out 1 slices"),
    ),
    "a scout of the same directions": (
        lambda s: [*s.stack(), scout(s, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])],
        right(12, "left out 1 localiser"),
    ),
    "a larger slice of the same directions, not called a scout": (
        lambda s: [*s.stack(), scout(s)],
        refused(SEVERAL),
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_place_is_right_or_refused(slices, write_specs, name):
    make, outcome = SCENES[name]
    assert isinstance(outcome, Outcome)
    require(outcome, write_specs(make(slices)), slices.off)
