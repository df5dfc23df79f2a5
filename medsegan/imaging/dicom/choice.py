"""Which stack of a folder is meant: the only one, the one that was asked for, or none without being asked."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import DataError
from .phases import MAX_STRAY_SLICES
from .preference import preferred
from .stacks import Stack

_SHOWN = 30
_PARALLEL = 0.9
"""Cosine between the normals of two stacks, from which they show the same view."""


def choose_stack(
    stacks: Sequence[Stack], series: str | None, where: str, file: Path | None = None
) -> tuple[Stack, list[str]]:
    """The one stack that is meant, and notes if others were left out.

    Args:
        stacks: not empty, the largest first.
        series: a SeriesInstanceUID, the number of a stack counted from 1, or else a SeriesNumber; `None` if there
            is only one, or one beside which the others hold at most three slices each.
        where: the folder, for messages.
        file: a slice whose series is meant where `series` is `None`; `None` = the whole folder is.

    Raises:
        DataError: it is not clear which one is meant; the message lists them all.
    """
    if series is None and file is not None:
        return _choose_for_file(stacks, file, where)
    if series is None:
        originals = [stack for stack in stacks if not stack.is_secondary]
        if not originals or len(originals[0].slices) <= MAX_STRAY_SLICES:
            originals = list(stacks)
        n_secondary = sum(len(stack.slices) for stack in stacks if stack not in originals)
        notes = [f"left out {n_secondary} derived secondary slices beside the originals"] if n_secondary else []
        if not _is_ambiguous(originals):
            return originals[0], [*notes, *_stray_notes(originals[1:])]
        large = [stack for stack in originals if len(stack.slices) > MAX_STRAY_SLICES]
        found = preferred(large) if len(large) > 1 else None
        if found is None or any(_may_belong(stack, one) for stack in originals[len(large) :] for one in large):
            finding = f"{where}: holds {len(stacks)} series or phases"
            raise DataError(_listing(stacks, finding, "ask for one of them"))
        return found[0], [*notes, found[1], *_stray_notes(originals[len(large) :])]
    if series.isdigit() and 1 <= int(series) <= len(stacks):
        return stacks[int(series) - 1], _number_notes(stacks, int(series))
    matching = [stack for stack in stacks if stack.series_uid == series]
    matching = matching or [stack for stack in stacks if stack.slices[0].series_number == series]
    if not matching:
        raise DataError(_listing(stacks, f"{where}: has no series {series!r}", "ask for one of these"))
    return _only_of(matching, stacks, f"{where}: series {series}")


def _choose_for_file(stacks: Sequence[Stack], file: Path, where: str) -> tuple[Stack, list[str]]:
    own = next((stack for stack in stacks if any(header.path == file for header in stack.slices)), None)
    if own is None:
        raise DataError(_listing(stacks, f"{where}: this file is no slice of a volume", "ask for one of these"))
    matching = [stack for stack in stacks if stack.slices[0].origin == own.slices[0].origin]
    chosen, notes = _only_of(matching, stacks, f"{where}: its series")
    if chosen is not own and own.is_secondary:
        finding = f"{where}: this file is a derived slice beside the originals of its series"
        raise DataError(_listing(stacks, finding, "ask for one of these"))
    return chosen, [*notes, "the series of this file was read from its folder"]


def _only_of(matching: Sequence[Stack], stacks: Sequence[Stack], what: str) -> tuple[Stack, list[str]]:
    """The one volume of a series."""
    originals = [stack for stack in matching if not stack.is_secondary] or list(matching)
    if _is_ambiguous(originals):
        raise DataError(_listing(stacks, f"{what} holds several volumes", "ask by number"))
    n_secondary = sum(len(stack.slices) for stack in matching if stack not in originals)
    notes = [f"left out {n_secondary} derived secondary slices beside the originals"] if n_secondary else []
    return originals[0], [*notes, *_stray_notes(originals[1:])]


def _is_ambiguous(stacks: Sequence[Stack]) -> bool:
    """Whether something beside the largest stack may belong to it, or be meant."""
    largest, *others = stacks
    if not others:
        return False
    if len(others[0].slices) > MAX_STRAY_SLICES or len(largest.slices) <= MAX_STRAY_SLICES:
        return True
    return any(_may_belong(stack, largest) for stack in others)


def _may_belong(stray: Stack, stack: Stack) -> bool:
    """Whether a few slices of the same series show the same view: no localiser, but a part that does not fit."""
    one, other = stray.slices[0], stack.slices[0]
    if one.series_uid != other.series_uid:
        return False
    normals = []
    for header in (one, other):
        if len(header.orientation) != 6:
            return one.matrix == other.matrix
        normals.append(np.cross(header.orientation[:3], header.orientation[3:]))
    return bool(abs(normals[0] @ normals[1]) > _PARALLEL * np.linalg.norm(normals[0]) * np.linalg.norm(normals[1]))


def _stray_notes(stray: Sequence[Stack]) -> list[str]:
    n_stray = sum(len(stack.slices) for stack in stray)
    return [f"left out {n_stray} slices of another orientation, matrix or series (localisers)"] if stray else []


def _number_notes(stacks: Sequence[Stack], number: int) -> list[str]:
    """A number may be that of the list or that of the scanner; where these disagree, it is said which it was."""
    found = stacks[number - 1].slices[0].series_number
    others = {stack.slices[0].series_number for stack in stacks}
    if found == str(number) or str(number) not in others:
        return []
    return [
        f"series {number} was taken as number {number} of the list, whose series number is {found or 'unknown'}; "
        f"another one has the series number {number}"
    ]


def _listing(stacks: Sequence[Stack], finding: str, advice: str) -> str:
    lines = [f"  {number}: {stack.description}" for number, stack in enumerate(stacks[:_SHOWN], start=1)]
    if len(stacks) > _SHOWN:
        lines.append(f"  and {len(stacks) - _SHOWN} more")
    return "\n".join([f"{finding}; {advice} by its number or UID (--series):", *lines])
