"""Several volumes in what calls itself one series: told apart by what can be proven, else listed or refused."""

import random
from dataclasses import replace

import numpy as np
import pytest
from series_outcomes import refused, require, right

SECONDARY = {"ImageType": ["DERIVED", "SECONDARY", "REFORMATTED"]}


def two(slices, one, other, added_hu=100):
    """Two volumes at the same positions, the second 100 HU higher; tags of each."""
    return [*slices.stack(tags=one), *slices.stack(added_hu=added_hu, tags=other)]


def told_by(keyword, one, other):
    return lambda slices: two(slices, {keyword: one}, {keyword: other})


def upper_half(slices, **tags):
    """One even stack, whose upper half says that it is something else."""
    specs = slices.stack()
    for index in range(6, 12):
        specs[index] = replace(specs[index], tags=tags, added_hu=100)
    return specs


def alternating(slices, **tags):
    specs = slices.stack()
    for index in range(0, 12, 2):
        specs[index] = replace(specs[index], tags=tags, added_hu=100)
    return specs


def last(slices, **tags):
    specs = slices.stack()
    specs[-1] = replace(specs[-1], tags=tags, added_hu=100)
    return specs


def in_packages(slices):
    """Two time points, taken in two packages each: odd slices of one with even slices of the other."""
    specs = []
    for time, added in ((1, 0), (2, 100)):
        for index, spec in enumerate(slices.stack()):
            tags = {"TemporalPositionIdentifier": time, "AcquisitionNumber": 1 + (index + time) % 2}
            specs.append(replace(spec, added_hu=added, tags=tags))
    return specs


def two_dimensions(slices):
    return [
        spec
        for time in (1, 2)
        for echo in (10, 80)
        for spec in slices.stack(added_hu=100 * time + echo, tags={"AcquisitionNumber": time, "TriggerTime": echo})
    ]


def diffusion(slices, n_directions=3):
    zero = slices.stack(tags={"DiffusionBValue": 0.0})
    weighted = [
        spec
        for direction in range(n_directions)
        for spec in slices.stack(added_hu=100 + direction, tags={"DiffusionBValue": 800.0})
    ]
    return [*zero, *weighted]


def chest_and_abdomen(slices, shift_mm):
    upper = [
        slices.slice(
            slices.origin + np.array([0, 0, 20 + shift_mm + 2.5 * k]), added_hu=100, tags={"AcquisitionNumber": 2}
        )
        for k in range(12)
    ]
    return [*slices.stack(), *upper]


def coronal(slices, n_slices=12, **changes):
    return [
        slices.slice(np.array([-10.0, -20 + 2.5 * k, 30.0]), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), **changes)
        for k in range(n_slices)
    ]


def between(slices, **tags):
    """A second stack half way between the slices of the usual one."""
    shifted = [
        replace(spec, position=spec.position + np.array([0, 0, 1.25]), tags=tags) for spec in slices.stack()
    ]
    return [*slices.stack(), *shifted]


LISTED = r"holds {} series or phases.*1: CT.*2: CT"
TWO = LISTED.format(2)
BY_TAG = {
    "ConvolutionKernel": ("B30f", "B70f"),
    "EchoTime": (10, 80),
    "EchoNumbers": (1, 2),
    "InversionTime": (100, 900),
    "FlipAngle": (3, 15),
    "KVP": (80, 140),
    "DiffusionBValue": (0.0, 800.0),
    "TriggerTime": (0, 400),
    "TemporalPositionIdentifier": (1, 2),
    "SequenceName": ("ep_b0", "ep_b800"),
    "RescaleType": ("HU", "MGML"),
    "StudyInstanceUID": ("1.2.3", "1.2.4"),
    "PatientID": ("one", "two"),
    "SeriesNumber": (2, 3),
    "ImageType": (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"]),
}
MIP = {"ImageType": ["DERIVED", "PRIMARY", "MIP"]}
SCENES = {
    **{
        f"two volumes by {keyword}": (told_by(keyword, *values), refused(TWO))
        for keyword, values in BY_TAG.items()
    },
    **{
        f"the {place} differs by {keyword}": (
            lambda s, make=make, keyword=keyword, value=values[1]: make(s, **{keyword: value}),
            refused(r"holds \d+ series or phases"),
        )
        for keyword, values in BY_TAG.items()
        if keyword != "TriggerTime"
        for place, make in (("upper half", upper_half), ("last slice", last))
    },
    "a time of its own for each slice": (
        lambda s: [replace(spec, tags={"TriggerTime": 10.5 * k}) for k, spec in enumerate(s.stack())],
        right(),
    ),
    "an acquisition of its own for each slice": (
        lambda s: [replace(spec, tags={"AcquisitionNumber": k}) for k, spec in enumerate(s.stack())],
        right(),
    ),
    "two interleaved acquisitions of one volume": (
        lambda s: [replace(spec, tags={"AcquisitionNumber": k % 2}) for k, spec in enumerate(s.stack())],
        right(),
    ),
    "echo times that differ by rounding": (
        lambda s: [replace(spec, tags={"EchoTime": 9.99 + 0.02 * (k % 2)}) for k, spec in enumerate(s.stack())],
        right(),
    ),
    "time points in packages, the first": (in_packages, right(series="1")),
    "time points in packages, the second": (in_packages, right(series="2", added_hu=100)),
    "two dimensions": (two_dimensions, refused(LISTED.format(4))),
    "two dimensions, the third": (two_dimensions, right(series="3", added_hu=180)),
    "diffusion": (diffusion, refused("DiffusionBValue")),
    "overlapping ranges": (lambda s: chest_and_abdomen(s, 0), refused(TWO)),
    "overlapping ranges, the upper": (lambda s: chest_and_abdomen(s, 0), right(series="2", added_hu=100)),
    "ranges that overlap out of step": (lambda s: chest_and_abdomen(s, 1.1), refused(TWO, fix_gaps=True)),
    "two acquisitions, each dense, half a slice apart": (
        lambda s: [replace(spec, added_hu=100) if spec.tags else spec for spec in between(s, AcquisitionNumber=2)],
        refused(TWO),
    ),
    "two acquisitions end to end": (
        lambda s: [replace(spec, tags={"AcquisitionNumber": 1 + k // 6}) for k, spec in enumerate(s.stack())],
        right(12, "2 acquisitions lie end to end"),
    ),
    "a step of the table for every two slices": (
        lambda s: [replace(spec, tags={"AcquisitionNumber": k // 2}) for k, spec in enumerate(s.stack())],
        right(),
    ),
    "ranges far apart": (lambda s: chest_and_abdomen(s, 60), refused("not evenly")),
    "thick slabs between": (lambda s: between(s, **MIP), refused(TWO)),
    "thick slabs instead of every second": (lambda s: alternating(s, **MIP), refused(TWO)),
    "a difference image at the same place": (
        lambda s: two(s, {}, {"ImageType": ["DERIVED", "PRIMARY", "SUBTRACTION"]}),
        refused(TWO),
    ),
    "reformats in the same series": (
        lambda s: [*s.stack(), *coronal(s, tags=SECONDARY)],
        right(12, "12 derived secondary slices"),
    ),
    "reformats as a series of their own": (
        lambda s: [*s.stack(), *coronal(s, 16, series_uid="1.2.3.5", tags=SECONDARY)],
        right(12, "16 derived secondary slices"),
    ),
    "reformats asked for": (
        lambda s: [*s.stack(), *coronal(s, 11, series_uid="1.2.3.5", tags=SECONDARY)],
        right(11, series="1.2.3.5"),
    ),
    "reformats alone": (lambda s: coronal(s, tags=SECONDARY), right()),
    "one original among reformats": (
        lambda s: [*s.stack(tags=SECONDARY), s.slice(np.array([0.0, 0, 40]))],
        refused("2 series or phases"),
    ),
    "a folder copied": (lambda s: [*s.stack(), *s.stack()], right(12, "12 exact copies")),
    "a series sent twice, the second time with another clock": (
        lambda s: two(s, {"ContentTime": "101010"}, {"ContentTime": "111111"}, added_hu=0),
        right(12, "12 exact copies"),
    ),
    "a part of a series sent three times": (
        lambda s: [
            *s.stack(tags={"AcquisitionTime": "101010"}),
            *s.stack(8, tags={"AcquisitionTime": "111111"}),
            *s.stack(5, tags={"AcquisitionTime": "121212"}),
        ],
        right(12, "13 exact copies"),
    ),
    "a series sent twice, one slice of it changed": (
        lambda s: [
            *s.stack(tags={"ContentTime": "1"}),
            *[
                replace(spec, tags={"ContentTime": "2"}, added_hu=100 * (index == 11))
                for index, spec in enumerate(s.stack())
            ],
        ],
        refused(TWO),
    ),
    "a study twice under other names": (
        lambda s: [
            *s.stack(),
            *s.stack(series_uid="1.2.9", tags={"StudyInstanceUID": "1.2.8", "FrameOfReferenceUID": "1.2.7"}),
        ],
        refused(TWO),
    ),
    "each slice in a study of its own": (
        lambda s: [replace(spec, tags={"StudyInstanceUID": f"1.2.{k}"}) for k, spec in enumerate(s.stack(40))],
        refused("holds 40 series or phases.*30: CT.*and 10 more"),
    ),
    "no SeriesInstanceUID": (lambda s: s.stack(tags={"SeriesInstanceUID": None}), right()),
    "no SeriesInstanceUID but two numbers": (
        lambda s: [
            replace(spec, tags={"SeriesInstanceUID": None, "SeriesNumber": 1 + k // 6})
            for k, spec in enumerate(s.stack())
        ],
        refused(TWO),
    ),
    "a localiser in three planes": (
        lambda s: [*s.stack(), *coronal(s, 3, series_uid="1.2.3.5")],
        right(12, "left out 3 slices"),
    ),
    "asked for by UID, with strays of other directions": (
        lambda s: [*s.stack(), *coronal(s, 3)],
        right(12, "left out 3 slices", series="1.2.3.4"),
    ),
    "asked for by UID, with strays of the same directions": (
        lambda s: last(s, FrameOfReferenceUID="1.2.3.10"),
        refused("several volumes", series="1.2.3.4"),
    ),
    "asked for by a number that the list and the scanner both have": (
        lambda s: [*s.stack(tags={"SeriesNumber": 2}), *s.stack(10, series_uid="1.2.9", tags={"SeriesNumber": 1})],
        right(12, "number 1 of the list, whose series number is 2", series="1"),
    ),
    "asked for by the number of the scanner": (
        lambda s: [*s.stack(tags={"SeriesNumber": 7}), *s.stack(10, series_uid="1.2.9", tags={"SeriesNumber": 9})],
        right(10, series="9"),
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_mixtures_are_told_apart_or_refused(slices, write_specs, name):
    make, outcome = SCENES[name]
    specs = make(slices)
    random.Random(1).shuffle(specs)
    require(outcome, write_specs(specs), slices.off)


@pytest.mark.parametrize(("keyword", "values"), BY_TAG.items())
def test_what_tells_two_volumes_apart_finds_each_of_them(slices, write_specs, keyword, values):
    folder = write_specs(two(slices, {keyword: values[0]}, {keyword: values[1]}))
    found = []
    for number in ("1", "2"):
        for added in (0, 100):
            try:
                require(right(says="" if added < 0 else ".*", series=number, added_hu=added), folder, slices.off)
            except AssertionError:
                continue
            found.append(added)
    assert sorted(found) == [0, 100]
