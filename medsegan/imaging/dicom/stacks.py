"""Which slices of a folder belong together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .header import MODALITY_OF_CLASS, SliceHeader
from .phases import split_phases

POSITION_TOLERANCE_MM = 0.01
_ORIENTATION_TOLERANCE = 1e-3
_SPACING_TOLERANCE = 1e-3


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
    def is_secondary(self) -> bool:
        """Whether these are pictures made of others: reformats, slabs, thumbnails (DICOM PS3.3, C.7.6.1.1.2)."""
        return self.slices[0].image_type[:2] == ("DERIVED", "SECONDARY")

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
        kernel = dict(first.phases)["ConvolutionKernel"]
        if kernel and "ConvolutionKernel" not in self.part:
            words.append(f"kernel {kernel}")
        if self.part:
            words.append(self.part)
        return f"{', '.join(words)} (series number {first.series_number or 'unknown'}, UID {first.series_uid})"


def find_stacks(headers: Iterable[SliceHeader]) -> tuple[list[Stack], list[str]]:
    """The stacks among some slices, the largest first, and notes on what was left out.

    Args:
        headers: single CT or MR slices, of one or several series.
    """
    by_origin: dict[tuple[str, ...], list[SliceHeader]] = {}
    n_localisers = 0
    for header in headers:
        if "LOCALIZER" in header.image_type:
            n_localisers += 1
        else:
            by_origin.setdefault(header.origin, []).append(header)
    stacks = [
        Stack(tuple(slices), part)
        for members in by_origin.values()
        for group in _split_by_geometry(members)
        for part, slices in split_phases(group, repeated_positions)
    ]
    # A stable sort, which leaves phases in the order of their numbers.
    stacks.sort(key=lambda stack: (-len(stack.slices), stack.series_uid))
    return stacks, [f"left out {n_localisers} localiser slices"] if n_localisers else []


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


def count_left_out(headers: Iterable[SliceHeader]) -> str:
    """The objects that are no slices, in words: "RT Dose Storage (1), Segmentation Storage (2)"."""
    names = Counter(header.class_name for header in headers)
    return ", ".join(f"{name} ({number})" for name, number in sorted(names.items()))
