"""Slices of one geometry divided into the volumes that they are: contrasts, time points, acquisitions."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise

import numpy as np

from .header import CONTRAST_TAGS, MOMENT_TAGS, SliceHeader
from .spacing import Spacing

Part = tuple[str, list[SliceHeader]]
Groups = list[list[SliceHeader]]
ByPosition = Callable[[Sequence[SliceHeader]], Groups]

MAX_STRAY_SLICES = 3
"""Fewer slices than one more are no volume of their own, but localisers or damage."""
_COUNTERS = ("TemporalPositionIdentifier", "StackID", "InversionTime")
"""Contrasts that may also number the slices of a single volume."""
_CLOCKS = ("AcquisitionTime", "ContentTime")
_SAME_SHARE = 0.05
"""Numbers nearer than this are one, so that rounding in the header divides nothing."""
_MOST_TAGS = 3
_DENSE = 1.05


def split_phases(group: Sequence[SliceHeader], by_position: ByPosition) -> list[Part]:
    """The volumes among slices of one geometry, each with what tells it from the others ("" for a single one).

    What makes another contrast divides always, wherever its slices lie. What says only when a slice was taken
    divides where positions repeat, or where two ranges overlap out of step: one volume may well be taken in
    several acquisitions.

    Args:
        group: slices of one orientation, matrix and pixel size.
        by_position: groups slices that lie at one position.
    """
    parts: list[Part] = []
    for name, members in _by_contrast(group):
        for also, slices in _by_moment(members, by_position):
            parts.append((", ".join(word for word in (name, also) if word), slices))
    return parts


def _by_contrast(group: Sequence[SliceHeader]) -> list[Part]:
    names = [name for name in CONTRAST_TAGS if _makes_a_contrast(name, group)]
    return _parts(group, names) if names else [("", list(group))]


def _makes_a_contrast(name: str, group: Sequence[SliceHeader]) -> bool:
    n_values = len(set(_values(group, name)))
    return n_values > 1 and not (name in _COUNTERS and n_values == len(group))


def _by_moment(group: list[SliceHeader], by_position: ByPosition) -> list[Part]:
    """Several volumes at the same positions, told apart by the fewest tags that divide them.

    Tags that give each part all positions come before those that leave gaps in them.
    """
    positions = by_position(group)
    if len(positions) == len(group):
        return _out_of_step(group)
    if len(positions) == 1:
        return [("", group)]
    most = max(len(members) for members in positions)
    varying = [name for name in MOMENT_TAGS if len(set(_values(group, name))) > 1]
    for n_tags in range(1, _MOST_TAGS + 1):
        for is_complete in (True, False):
            for names in combinations(varying, n_tags):
                parts = _parts(group, names)
                sizes = [len(part) for _, part in parts]
                fits = set(sizes) == {len(positions)} if is_complete else len(parts) == most
                if not fits or len(parts) == 1 or min(sizes) <= MAX_STRAY_SLICES:
                    continue
                if all(len(by_position(part)) == len(part) for _, part in parts):
                    return parts
    return [("", group)]


def _out_of_step(group: list[SliceHeader]) -> list[Part]:
    """Two even stacks whose ranges overlap, where the whole is uneven or each of them is dense."""
    if len(group) <= 2 * MAX_STRAY_SLICES:
        return [("", group)]
    is_fit = _is_dense if _is_even(group) else _is_even
    for name in MOMENT_TAGS:
        parts = _parts(group, [name])
        is_several = len(parts) > 1 and min(len(part) for _, part in parts) > MAX_STRAY_SLICES
        if is_several and _overlap([part for _, part in parts]) and all(is_fit(part) for _, part in parts):
            return parts
    return [("", group)]


def _is_even(group: Sequence[SliceHeader]) -> bool:
    heights = _heights(group)
    return heights is not None and len(heights) > 1 and Spacing(heights).is_even


def _is_dense(group: Sequence[SliceHeader]) -> bool:
    """Whether slices are even and no further apart than they are thick, so that nothing belongs between them.

    Slices taken in turn, the odd ones and then the even ones, leave room for the others.
    """
    heights, thickness_mm = _heights(group), group[0].thickness_mm
    if heights is None or thickness_mm is None or not _is_even(group):
        return False
    return Spacing(heights).mean_mm <= _DENSE * thickness_mm


def _overlap(parts: Groups) -> bool:
    ranges = sorted((heights[0], heights[-1]) for part in parts if (heights := _heights(part)) is not None)
    return any(before[1] > after[0] for before, after in pairwise(ranges))


def _heights(group: Sequence[SliceHeader]) -> np.ndarray | None:
    """Positions along the normal in order, mm; None where slices have no place."""
    if any(len(header.position) != 3 or len(header.orientation) != 6 for header in group):
        return None
    normal = np.cross(group[0].orientation[:3], group[0].orientation[3:])
    return np.sort(np.array([header.position for header in group]) @ normal)


def _parts(group: Sequence[SliceHeader], names: Sequence[str]) -> list[Part]:
    """The slices divided by their values of some tags, in the order of these values.

    Times of day are no names, so they are counted.
    """
    columns = [_values(group, name) for name in names]
    parts: dict[tuple[str, ...], list[SliceHeader]] = {}
    for header, values in zip(group, zip(*columns, strict=True), strict=True):
        parts.setdefault(values, []).append(header)
    ordered = sorted(parts, key=lambda values: [(_number(value), value) for value in values])
    clocks = {name: sorted(set(column)) for name, column in zip(names, columns, strict=True) if name in _CLOCKS}
    return [
        (", ".join(_word(name, value, clocks) for name, value in zip(names, values, strict=True)), parts[values])
        for values in ordered
    ]


def _word(name: str, value: str, clocks: dict[str, list[str]]) -> str:
    if name in clocks:
        return f"{name} {clocks[name].index(value) + 1}"
    return f"{name} {value or 'missing'}"


def _values(group: Sequence[SliceHeader], name: str) -> list[str]:
    """The value of a tag for each slice; numbers that differ by rounding alone become one."""
    found = [dict(header.phases)[name] for header in group]
    if name not in CONTRAST_TAGS:
        return found
    numbers = sorted({text for text in found if np.isfinite(_number(text))}, key=_number)
    same: dict[str, str] = {}
    for below, text in zip([None, *numbers], numbers, strict=False):
        near = below is not None and _number(text) - _number(below) <= _SAME_SHARE * abs(_number(text))
        same[text] = same[below] if near and below is not None else text
    return [same.get(text, text) for text in found]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("inf")
