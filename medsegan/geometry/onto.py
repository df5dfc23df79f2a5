"""A volume where another one lies."""

import numpy as np

from ..errors import DataError
from ..shapes import Array
from ..voxels import resample3d
from ..voxels.resample3d import Order
from .grid import Grid

_ROUNDING = 1e-9


def resample_onto(array: Array, source: Grid, target: Grid, order: Order, fill: float | None) -> Array:
    """The array on another grid: every voxel gets the value at its own place in the patient.

    Grids that hold the same voxels in another order of axes, or parts of them, give bit-exact copies. Nothing is
    smoothed first: where the target is coarser, details alias.

    Args:
        array: (I, J, K) on `source`.
        source: where its voxels lie.
        target: where those of the result lie.
        order: "nearest", "linear", "cubic", or "label_linear" for labels; see `medsegan.voxels.resample3d`.
        fill: value outside of the source; `None` continues its edge.

    Raises:
        DataError: the array does not have the shape of its grid, or cannot be resampled in this order.
    """
    if array.shape != source.shape:
        raise DataError(f"an array of shape {array.shape} does not lie on a grid of {source.shape} voxels")
    source_from_target = np.linalg.solve(source.world_from_voxel, target.world_from_voxel)
    whole = np.round(source_from_target)
    is_rounding = np.abs(source_from_target - whole) < _ROUNDING
    return resample3d(array, np.where(is_rounding, whole, source_from_target), target.shape, order, fill)
