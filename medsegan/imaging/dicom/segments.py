"""What is said of each class in a DICOM object: number, name, codes, colour and who made it."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ... import __version__
from ...errors import DataError
from ...shapes import LabelArray
from ..class_names import class_name_of
from ..palette import class_colour
from .codes import UNKNOWN, Concept, concept_of

LONGEST_NAME = 64
"""Characters of a long string, LO (DICOM PS3.5, section 6.2)."""
_BY_HAND = {"manual": "MANUAL", "semiautomatic": "SEMIAUTOMATIC"}


class Maker(NamedTuple):
    """How labels were made: AUTOMATIC, SEMIAUTOMATIC or MANUAL, by which program in which version."""

    kind: str
    name: str
    version: str


@dataclass(frozen=True)
class Segment:
    """One class of a label volume.

    Args:
        value: in the label volume.
        number: in the DICOM object.
        name: of at most 64 characters, none of them a control character or a backslash.
        concept: its codes.
        colour: red, green, blue, 0 to 255.
    """

    value: int
    number: int
    name: str
    concept: Concept
    colour: tuple[int, int, int]


def describe_segments(
    array: LabelArray, names: Mapping[int, str], *, keep_values: bool, where: str
) -> tuple[list[Segment], tuple[str, ...]]:
    """The classes that have voxels, in the order of their values, and notes on what is not as in the labels.

    Args:
        array: labels.
        names: value -> name; a class without one is called "label 3".
        keep_values: whether numbers are the values; else they count from 1, as binary segmentations demand.
        where: the file to write, for messages.

    Raises:
        DataError: there is no labelled voxel, or a value that no object can hold.
    """
    values = [int(value) for value in np.unique(array) if value != 0]
    if not values:
        raise DataError(f"{where}: no voxel is labelled, so there is nothing to write")
    if values[0] < 0 or values[-1] > 65535:
        raise DataError(
            f"{where}: label values lie between {values[0]} and {values[-1]}, 1 to 65535 can be written"
        )
    notes = []
    absent = [name for value, name in sorted(names.items()) if value not in values and value != 0]
    if absent:
        notes.append(f"classes without a voxel are not written: {_listed(absent)}")
    numbers = values if keep_values else range(1, len(values) + 1)
    if list(numbers) != values:
        moved = [f"{value} is now {number}" for number, value in enumerate(values, start=1)]
        notes.append(f"segments are numbered from 1: {_listed(moved)}")
    written = writable_names({value: names.get(value, "") for value in values})
    changed = [f"{names[v]!r} is now {written[v]!r}" for v in values if v in names and names[v] != written[v]]
    if changed:
        notes.append(f"names that DICOM cannot hold, or that others have too: {_listed(changed)}")
    segments = [
        Segment(value, number, written[value], concept_of(written[value]), class_colour(value))
        for value, number in zip(values, numbers, strict=True)
    ]
    unknown = [segment.name for segment in segments if segment.concept == UNKNOWN]
    if unknown:
        notes.append(f"classes without a known SNOMED CT code are coded as tissue (85756007): {_listed(unknown)}")
    return segments, tuple(notes)


def writable_names(names: Mapping[int, str]) -> dict[int, str]:
    """Names that a long string can hold, no two of them alike in small letters.

    Args:
        names: value -> name; "" becomes "label 3".
    """
    written: dict[int, str] = {}
    taken = {"background", ""}  # what readers take for no class
    for value, name in names.items():
        clean = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in name)
        clean = re.sub(r"\s+", " ", clean.replace("\\", "/")).strip()[:LONGEST_NAME].strip()
        if class_name_of(clean) in taken:
            ending = f" {value}"
            clean = (clean or "label")[: LONGEST_NAME - len(ending)] + ending
        while class_name_of(clean) in taken:
            clean = f"label {value}" if f"label_{value}" not in taken else clean[: LONGEST_NAME - 2] + " x"
        taken.add(class_name_of(clean))
        written[value] = clean
    return written


def maker_of(algorithm: str | None) -> Maker:
    """How labels were made, in the words of the standard.

    Args:
        algorithm: "manual"; "semiautomatic", with a program behind it or without; a program, "name 1.2"; `None`
            = this program.
    """
    first, _, rest = (algorithm or "").strip().partition(" ")
    kind = _BY_HAND.get(first.lower())
    program = (algorithm or "").strip() if kind is None else rest.strip()
    name, _, version = program.rpartition(" ")
    if not name or not re.search(r"\d", version):
        name, version = program or "medsegan", __version__ if not program else "unknown"
    return Maker(kind or "AUTOMATIC", _cut(name), _cut(version))


def _cut(text: str) -> str:
    return writable_names({0: text})[0]


def _listed(parts: list[str]) -> str:
    return ", ".join(parts[:8]) + (f" and {len(parts) - 8} more" if len(parts) > 8 else "")
