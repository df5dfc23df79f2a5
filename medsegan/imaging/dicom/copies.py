"""Stacks that are copies of others, slice by slice and pixel by pixel, although a clock says otherwise."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import MedseganError
from .header import CONTRAST_TAGS, SliceHeader
from .pixels import PlaneReader
from .stacks import Stack, repeated_positions


def join_copies(stacks: Sequence[Stack]) -> list[Stack]:
    """The stacks, each with those that are copies of it, so that its slices lie there twice.

    What is sent twice gets another time of its content, and would pass for a second volume. A stack is a copy if
    all its slices lie at positions of a larger one of the same series and contrast, and have the same pixels. Of
    volumes that differ only one slice is read.

    Args:
        stacks: the largest first.
    """
    joined: list[Stack] = []
    digests = _Digests()
    for stack in stacks:
        number = next((n for n, other in enumerate(joined) if _is_copy(stack, other, digests)), None)
        if number is None:
            joined.append(stack)
        else:
            joined[number] = replace(joined[number], slices=(*joined[number].slices, *stack.slices))
    return joined


def _is_copy(stack: Stack, other: Stack, digests: "_Digests") -> bool:
    if not (stack.part and other.part) or _kind_of(stack.slices[0]) != _kind_of(other.slices[0]):
        return False
    together = repeated_positions([*other.slices, *stack.slices])
    own = {id(header) for header in stack.slices}
    pairs = [group for group in together if any(id(header) in own for header in group)]
    if len(pairs) != len(stack.slices) or any(len(group) < 2 for group in pairs):
        return False
    # In the same order for all stacks, so that of many phases each is read at one position.
    pairs.sort(key=lambda group: group[0].position)
    try:
        return all(digests.of(group[0]) == digests.of(group[-1]) for group in pairs)
    except MedseganError:
        return False  # a damaged slice is refused where its stack is read


def _kind_of(header: SliceHeader) -> tuple[object, ...]:
    """What two copies have in common, whenever they were made."""
    said = dict(header.phases)
    return (header.origin, header.matrix, header.frame_uid, *(said[name] for name in CONTRAST_TAGS))


class _Digests:
    """Hashes of the pixels of slices, each read once."""

    def __init__(self) -> None:
        self._reader = PlaneReader()
        self._found: dict[int, bytes] = {}

    def of(self, header: SliceHeader) -> bytes:
        """The hash of the values of a slice."""
        if id(header) not in self._found:
            values = np.asarray(self._reader.read(header), dtype=np.float64)
            self._found[id(header)] = hashlib.sha256(values.tobytes()).digest()
        return self._found[id(header)]
