"""Several masks in one label volume, where no voxel may have two classes."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from ..errors import DataError
from ..shapes import Array, LabelArray, Shape3


class Canvas:
    """A label volume in the making; it remembers which masks claim the same voxels."""

    def __init__(self, shape: Shape3, names: Mapping[int, str]) -> None:
        self.array: LabelArray = np.zeros(shape, dtype=np.uint8 if max(names, default=0) <= 255 else np.uint16)
        self.names = dict(names)
        self._overlaps: Counter[tuple[int, int]] = Counter()

    def paint(self, region: tuple[slice | int, ...], mask: Array, value: int) -> None:
        """Give the voxels of a mask their class.

        Args:
            region: index of the part of the volume that the mask covers.
            mask: bool, of the shape of that part.
            value: of the class.
        """
        part = self.array[region]
        before = part[mask]
        taken = before[(before != 0) & (before != value)]
        for other, n in zip(*np.unique(taken, return_counts=True), strict=True):
            self._overlaps[int(other), value] += int(n)
        part[mask] = value

    def require_apart(self, where: str) -> None:
        """Refuse overlaps.

        Raises:
            DataError: two masks share voxels; all such pairs are named.
        """
        if not self._overlaps:
            return
        pairs = self._overlaps.most_common()
        listed = ", ".join(
            f"{self.names[first]} and {self.names[second]} ({n} voxels)" for (first, second), n in pairs[:5]
        )
        more = f" and {len(pairs) - 5} more pairs" if len(pairs) > 5 else ""
        raise DataError(
            f"{where}: classes overlap: {listed}{more}; a voxel can have one class only. Read those that do not "
            "overlap (--classes NAME=VALUE,... names them), or separate them"
        )
