"""Labels in the order of the slices of their series: turned, never resampled."""

import numpy as np

from ...errors import DataError
from ...geometry import Grid, axis_codes, compare_grids, reorientation_to
from ...geometry.compare import SAME_VOXELS
from ...geometry.onto import resample_onto
from ...shapes import LabelArray
from ..placed import whole_steps
from ..volume import LabelVolume


def labels_on_series(label: LabelVolume, grid: Grid, where: str) -> LabelArray:
    """(columns, rows, slices) the labels on the voxels of a series.

    The order and direction of each axis come from the two affines alone. The labels may lie on any box of the
    series' voxels, as long as all that is labelled lies on the series.

    Args:
        label: where it lies is given by its grid.
        grid: of the series.
        where: the series, for messages.

    Raises:
        DataError: a corner lies 0.01 voxel or more off the voxels of the series, or labels lie beside it.
    """
    whole, off_mm = whole_steps(label.grid, grid)
    if whole is None or off_mm >= SAME_VOXELS * min(grid.spacing_mm):
        raise DataError(
            f"{where}: {_distance(label.grid, grid)}; labels are written on the voxels of their scan alone"
        )
    exact = Grid(label.grid.shape, grid.world_from_voxel @ whole)
    placed = resample_onto(label.array, exact, grid, "nearest", 0)
    n_labeled, n_placed = int(np.count_nonzero(label.array)), int(np.count_nonzero(placed))
    if n_placed != n_labeled:
        raise DataError(
            f"{where}: {n_labeled - n_placed} of {n_labeled} labelled voxels lie beside the slices of the series; "
            "name the series that the labels were made on"
        )
    return placed


def _distance(label: Grid, series: Grid) -> str:
    """How far the labels are from the series, whatever the order of their axes."""
    turned = reorientation_to(label, axis_codes(series)).grid(label)
    return f"the labels do not lie on the voxels of this series: {compare_grids(series, turned).sentence}"
