"""Labels on the grid of their scan, or a refusal: nothing is ever resampled here."""

from ..errors import DataError
from ..geometry import Grid, axis_codes, compare_grids, reorientation_to
from .volume import LabelVolume


def align_label(label: LabelVolume, grid: Grid) -> tuple[LabelVolume, str | None]:
    """The labels on exactly `grid`, and a note if something had to be done or assumed for it.

    Args:
        label: labels that should lie where `grid` does.
        grid: of the scan.

    Returns:
        The same voxels; turned into the scan's order of axes if they are stored in another one, which is exact.
        The note is `None` if the corners agree within 0.01 voxel as they are.

    Raises:
        DataError: the corners lie half a voxel or more apart in every order of axes; of a picture, which has no
            place, the sizes differ.
    """
    if label.is_picture:
        return _pixel_on_pixel(label, grid)
    agreement = compare_grids(grid, label.grid)
    if agreement.kind == "same":
        return LabelVolume(label.array, grid, label.notes), None
    if agreement.kind == "close":
        return LabelVolume(
            label.array, grid, label.notes
        ), f"labels are taken to lie on the scan's grid: {agreement.sentence}"
    codes, label_codes = axis_codes(grid), axis_codes(label.grid)
    reorientation = reorientation_to(label.grid, codes)
    turned = compare_grids(grid, reorientation.grid(label.grid))
    if turned.kind == "different":
        raise DataError(
            f"scan and labels do not lie in the same place: {agreement.sentence}; "
            "resample the labels to the grid of their scan, or pair them correctly"
        )
    note = f"labels are turned into the scan's order of axes: from {label_codes} to {codes}"
    if turned.kind == "close":
        note += f", and taken to lie on its grid: {turned.sentence}"
    return LabelVolume(reorientation.apply(label.array), grid, label.notes), note


def _pixel_on_pixel(label: LabelVolume, grid: Grid) -> tuple[LabelVolume, str | None]:
    """Only the size can tell whether a picture of labels belongs to a scan."""
    if label.grid.shape != grid.shape:
        raise DataError(
            f"the picture of labels has {label.grid.shape[0]} x {label.grid.shape[1]} pixels, its scan "
            f"{' x '.join(str(n) for n in grid.shape)} voxels; give labels of the scan's own size"
        )
    return LabelVolume(label.array, grid, label.notes), None
