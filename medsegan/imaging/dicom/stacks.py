"""Which slices of a folder belong together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DataError
from .header import MODALITY_OF_CLASS, SliceHeader

POSITION_TOLERANCE_MM = 0.01
_ORIENTATION_TOLERANCE = 1e-3
_SPACING_TOLERANCE = 1e-3
_MAX_STRAY_SLICES = 3
"""Stacks up to this size beside a larger one are taken for localisers and left out with a note."""


@dataclass(frozen=True)
class Stack:
    """Slices with one orientation, matrix and pixel size: the candidates for a volume.

    Args:
        slices: in no particular order.
        part: what tells this stack from others at the same positions, such as "AcquisitionNumber 2"; or "".
    """

    slices: tuple[SliceHeader, ...]
    part: str = ""

    @property
    def series_uid(self) -> str:
        """SeriesInstanceUID of the slices."""
        return self.slices[0].series_uid

    @property
    def description(self) -> str:
        """The stack in words that name no patient."""
        first = self.slices[0]
        spacing = "x".join(f"{number:.3g}" for number in first.pixel_spacing) or "unknown"
        words = [
            f"{MODALITY_OF_CLASS[first.sop_class].upper()}, {len(self.slices)} slices of "
            f"{first.matrix[0]}x{first.matrix[1]} pixels of {spacing} mm"
        ]
        if first.thickness_mm is not None:
            words.append(f"{first.thickness_mm:g} mm thick")
        if self.part:
            words.append(self.part)
        return f"{', '.join(words)} (series number {first.series_number or 'unknown'}, UID {first.series_uid})"


def find_stacks(headers: Iterable[SliceHeader]) -> tuple[list[Stack], list[str]]:
    """The stacks among some slices, the largest first, and notes on what was left out.

    Args:
        headers: single CT or MR slices, of one or several series.
    """
    by_series: dict[str, list[SliceHeader]] = {}
    for header in headers:
        by_series.setdefault(header.series_uid, []).append(header)
    stacks: list[Stack] = []
    notes: list[str] = []
    for members in by_series.values():
        for group in _split_by_geometry(_without_by_products(members, notes)):
            stacks.extend(_split_by_phase(group))
    # A stable sort, which leaves phases in the order of their numbers.
    stacks.sort(key=lambda stack: (-len(stack.slices), stack.series_uid))
    return stacks, notes


def choose_stack(stacks: Sequence[Stack], series: str | None, where: str) -> tuple[Stack, list[str]]:
    """The one stack that is meant, and a note if others were left out.

    Args:
        stacks: not empty, the largest first.
        series: a SeriesInstanceUID, or the number of a stack counted from 1; `None` if there is only one, or one
            beside which the others hold at most three slices each.
        where: the folder, for messages.

    Raises:
        DataError: it is not clear which one is meant; the message lists them all.
    """
    if series is None:
        stray = stacks[1:]
        if stray and (len(stray[0].slices) > _MAX_STRAY_SLICES or len(stacks[0].slices) <= _MAX_STRAY_SLICES):
            raise DataError(
                _listing(stacks, f"{where}: holds {len(stacks)} series or phases", "ask for one of them")
            )
        n_stray = sum(len(stack.slices) for stack in stray)
        note = f"left out {n_stray} slices of another orientation, matrix or series (localisers)"
        return stacks[0], [note] if stray else []
    if series.isdigit() and 1 <= int(series) <= len(stacks):
        return stacks[int(series) - 1], []
    matching = [stack for stack in stacks if stack.series_uid == series]
    if not matching:
        raise DataError(_listing(stacks, f"{where}: has no series {series!r}", "ask for one of these"))
    if len(matching) > 1 and len(matching[1].slices) > _MAX_STRAY_SLICES:
        raise DataError(_listing(stacks, f"{where}: series {series} holds several volumes", "ask by number"))
    return matching[0], []


def repeated_positions(slices: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    """The slices grouped by equal position, in the order of their first appearance."""
    if _are_apart(slices):
        return [[header] for header in slices]
    groups: list[list[SliceHeader]] = []
    cells: dict[tuple[int, ...], list[list[SliceHeader]]] = {}
    for header in slices:
        # Rounded to a coarse cell, so that a stack of a thousand slices does not need a million comparisons.
        cell = tuple(int(np.rint(number)) for number in header.position)
        near = [group for key in _neighbours(cell) for group in cells.get(key, [])]
        group = next((group for group in near if _distance_mm(group[0], header) < POSITION_TOLERANCE_MM), None)
        if group is None:
            group = []
            groups.append(group)
            cells.setdefault(cell, []).append(group)
        group.append(header)
    return groups


def _are_apart(slices: Sequence[SliceHeader]) -> bool:
    """Whether all positions differ along one axis already, as they do in nearly every series."""
    if any(len(header.position) != 3 for header in slices):
        return False
    positions = np.array([header.position for header in slices])
    if not np.isfinite(positions).all():
        return False
    along = np.sort(positions[:, np.ptp(positions, axis=0).argmax()])
    return bool((np.diff(along) >= POSITION_TOLERANCE_MM).all())


def _neighbours(cell: tuple[int, ...]) -> list[tuple[int, ...]]:
    shifts = [()] if not cell else [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    return [tuple(n + d for n, d in zip(cell, shift, strict=False)) for shift in shifts]


def _distance_mm(one: SliceHeader, other: SliceHeader) -> float:
    if len(one.position) != 3 or len(other.position) != 3:
        return 0.0 if one.position == other.position else float("inf")
    return float(np.linalg.norm(np.subtract(one.position, other.position)))


def _without_by_products(members: list[SliceHeader], notes: list[str]) -> list[SliceHeader]:
    """The slices without localisers and, where originals lie beside them, without secondary reformats."""
    kept = [header for header in members if "LOCALIZER" not in header.image_type]
    if len(kept) < len(members):
        notes.append(f"left out {len(members) - len(kept)} localiser slices")
    originals = [header for header in kept if header.image_type[:2] != ("DERIVED", "SECONDARY")]
    if originals and len(originals) < len(kept):
        notes.append(f"left out {len(kept) - len(originals)} derived secondary slices beside the originals")
        return originals
    return kept


def _split_by_geometry(members: Sequence[SliceHeader]) -> list[list[SliceHeader]]:
    groups: list[list[SliceHeader]] = []
    for header in members:
        group = next((group for group in groups if _same_geometry(group[0], header)), None)
        if group is None:
            groups.append([header])
        else:
            group.append(header)
    return groups


def _same_geometry(one: SliceHeader, other: SliceHeader) -> bool:
    exact = (one.matrix, one.sop_class, one.frame_uid, len(one.orientation), len(one.pixel_spacing))
    if exact != (other.matrix, other.sop_class, other.frame_uid, len(other.orientation), len(other.pixel_spacing)):
        return False
    if one.orientation == other.orientation and one.pixel_spacing == other.pixel_spacing:
        return True  # as nearly always, and a hundred times as fast as below
    return np.allclose(one.orientation, other.orientation, rtol=0, atol=_ORIENTATION_TOLERANCE) and np.allclose(
        one.pixel_spacing, other.pixel_spacing, rtol=_SPACING_TOLERANCE, atol=0
    )


def _split_by_phase(group: list[SliceHeader]) -> list[Stack]:
    """Several volumes at the same positions, told apart by the first tag that divides them.

    A tag that gives each part all positions comes before one that leaves gaps in them.
    """
    positions = repeated_positions(group)
    if len(positions) == len(group) or len(positions) == 1:
        return [Stack(tuple(group))]
    most = max(len(members) for members in positions)
    for is_complete in (True, False):
        for name in dict(group[0].phases):
            parts = _divided_by(group, name)
            sizes = [len(part) for part in parts.values()]
            fits = set(sizes) == {len(positions)} if is_complete else len(parts) == most
            if len(parts) == 1 or not fits or min(sizes) <= _MAX_STRAY_SLICES:
                continue
            if all(len(repeated_positions(part)) == len(part) for part in parts.values()):
                return _named_parts(name, parts)
    return [Stack(tuple(group))]


def _named_parts(name: str, parts: dict[str, list[SliceHeader]]) -> list[Stack]:
    """The stacks in the order of the values of their tag; times of day are no names, so they are counted."""
    ordered = sorted(parts.items(), key=lambda item: (_number(item[0]), item[0]))
    is_clock = name in ("AcquisitionTime", "ContentTime")
    return [
        Stack(tuple(part), f"{name} {count if is_clock else value}")
        for count, (value, part) in enumerate(ordered, start=1)
    ]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")


def _divided_by(group: list[SliceHeader], phase: str) -> dict[str, list[SliceHeader]]:
    parts: dict[str, list[SliceHeader]] = {}
    for header in group:
        parts.setdefault(dict(header.phases)[phase], []).append(header)
    return parts


def _listing(stacks: Sequence[Stack], finding: str, advice: str) -> str:
    lines = [f"  {number}: {stack.description}" for number, stack in enumerate(stacks, start=1)]
    return "\n".join([f"{finding}; {advice} by its number or UID (--series):", *lines])


def count_left_out(headers: Iterable[SliceHeader]) -> str:
    """The objects that are no slices, in words: "RT Dose Storage (1), Segmentation Storage (2)"."""
    names = Counter(header.class_name for header in headers)
    return ", ".join(f"{name} ({number})" for name, number in sorted(names.items()))
