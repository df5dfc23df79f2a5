"""Which way the axes of a volume point, and the exact change to any other order of axes."""

from dataclasses import dataclass
from itertools import permutations
from typing import Any, Self

import numpy as np

from ..errors import DataError
from ..shapes import Array, Shape3
from .grid import Grid

_POSITIVE, _NEGATIVE = "RAS", "LPI"
_PERMUTATIONS = tuple(permutations(range(3)))


@dataclass(frozen=True)
class Reorientation:
    """A permutation and reversal of the axes of a volume: nothing is resampled, so it can be undone exactly.

    Args:
        axes: for each target axis the source axis it is taken from.
        flips: for each target axis whether it runs against its source axis.

    Raises:
        DataError: `axes` is not a permutation of (0, 1, 2) or there are not three flips.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def __post_init__(self) -> None:
        if sorted(self.axes) != [0, 1, 2] or len(self.flips) != 3:
            raise DataError(f"axes must be 0, 1, 2 in some order, with three flips, got {self.axes}, {self.flips}")

    def apply(self, array: Array) -> Array:
        """A view of the array in the target order.

        Args:
            array: (I, J, K, ...) in the source order; axes after the third stay where they are.
        """
        self._require_three_axes(array)
        view = array.transpose(*self.axes, *range(3, array.ndim))
        return view[self._flip_index]

    def invert(self, array: Array) -> Array:
        """A view, in the source order, of an array that is in the target order; undoes `apply`.

        Args:
            array: (S, H, W, ...) in the target order; axes after the third stay where they are.
        """
        self._require_three_axes(array)
        back = [self.axes.index(axis) for axis in range(3)]
        return array[self._flip_index].transpose(*back, *range(3, array.ndim))

    def grid(self, grid: Grid) -> Grid:
        """The grid of the array that `apply` returns for an array on `grid`: every voxel keeps its place."""
        source_from_target = np.eye(4)
        source_from_target[:3, :3] = 0.0
        shape = [0, 0, 0]
        for target, (source, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            shape[target] = grid.shape[source]
            source_from_target[source, target] = -1.0 if flip else 1.0
            source_from_target[source, 3] = grid.shape[source] - 1 if flip else 0.0
        return Grid(_as_shape(shape), grid.world_from_voxel @ source_from_target)

    def to_json(self) -> dict[str, Any]:
        """The reorientation as plain lists."""
        return {"axes": list(self.axes), "flips": list(self.flips)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The reorientation that `to_json` wrote."""
        first, second, third = (int(axis) for axis in document["axes"])
        flip_first, flip_second, flip_third = (bool(flip) for flip in document["flips"])
        return cls((first, second, third), (flip_first, flip_second, flip_third))

    @property
    def _flip_index(self) -> tuple[slice, slice, slice]:
        first, second, third = (slice(None, None, -1) if flip else slice(None) for flip in self.flips)
        return first, second, third

    def _require_three_axes(self, array: Array) -> None:
        if array.ndim < 3:
            raise DataError(f"a volume has at least three axes, got an array of shape {array.shape}")


def axis_codes(grid: Grid) -> str:
    """Three letters that say where the voxel axes point, such as "RAS": right, anterior, superior.

    For oblique and sheared grids the closest letters, each world axis used exactly once: the assignment that
    maximises the sum of the absolute cosines over all six assignments.
    """
    world_axes, negative = _closest_axes(grid)
    letters = (
        _NEGATIVE[world] if minus else _POSITIVE[world] for world, minus in zip(world_axes, negative, strict=True)
    )
    return "".join(letters)


def reorientation_to(grid: Grid, codes: str) -> Reorientation:
    """The reorientation after which an array on `grid` has the axis codes `codes`.

    Args:
        grid: the grid of the array as it is.
        codes: three of the letters R L A P S I, one for each world axis, such as "SPL".

    Raises:
        DataError: `codes` does not name every world axis once.
    """
    wanted = [_world_axis(letter) for letter in codes.upper()]
    if len(wanted) != 3 or {world for world, _ in wanted} != {0, 1, 2}:
        raise DataError(f"axis codes need one letter each of R/L, A/P and S/I, such as RAS or SPL, got {codes!r}")
    world_axes, negative = _closest_axes(grid)
    sources = [world_axes.index(world) for world, _ in wanted]
    flips = [negative[source] != minus for source, (_, minus) in zip(sources, wanted, strict=True)]
    return Reorientation((sources[0], sources[1], sources[2]), (flips[0], flips[1], flips[2]))


def _closest_axes(grid: Grid) -> tuple[list[int], list[bool]]:
    """For each voxel axis the world axis it is closest to, and whether it runs against it."""
    linear = grid.world_from_voxel[:3, :3]
    cosines = linear / np.linalg.norm(linear, axis=0)
    best = max(
        _PERMUTATIONS, key=lambda worlds: sum(abs(cosines[world, axis]) for axis, world in enumerate(worlds))
    )
    return list(best), [bool(cosines[world, axis] < 0) for axis, world in enumerate(best)]


def _world_axis(letter: str) -> tuple[int, bool]:
    """The world axis of a letter and whether the letter names its negative end."""
    if letter in _POSITIVE:
        return _POSITIVE.index(letter), False
    if letter in _NEGATIVE:
        return _NEGATIVE.index(letter), True
    raise DataError(f"{letter!r} is no direction in the patient; use R, L, A, P, S or I")


def _as_shape(numbers: list[int]) -> Shape3:
    first, second, third = numbers
    return first, second, third
