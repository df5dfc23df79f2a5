"""Labels on the grid of their scan: copied where the grids agree, resampled where they almost do, else refused."""

from ..errors import DataError
from ..geometry import Grid, axis_codes, compare_grids, reorientation_to
from ..geometry.onto import resample_onto
from ..shapes import LabelArray
from .volume import LabelVolume


def align_label(label: LabelVolume, grid: Grid, *, resample: bool = False) -> tuple[LabelVolume, str | None]:
    """The labels on exactly `grid`, and a note if something had to be done for it.

    Args:
        label: labels that should lie where `grid` does.
        grid: of the scan.
        resample: whether labels that lie elsewhere are resampled too, background where they do not reach, instead
            of being refused.

    Returns:
        The same voxels if all corners agree within 0.01 voxel, turned into the scan's order of axes if need be;
        resampled by `label_linear` within half a voxel. The note is `None` if nothing had to be done.

    Raises:
        DataError: the corners lie half a voxel or more apart in every order of axes and `resample` is not set; of
            a picture, which has no place, the sizes differ; or nothing of the labels is left after resampling.
    """
    if label.is_picture:
        return _pixel_on_pixel(label, grid)
    agreement = compare_grids(grid, label.grid)
    if agreement.kind == "same":
        return _placed(label, label.array, grid), None
    if agreement.kind == "close":
        return _resampled(label, grid), f"labels are resampled onto the scan's grid: {agreement.sentence}"
    codes, label_codes = axis_codes(grid), axis_codes(label.grid)
    reorientation = reorientation_to(label.grid, codes)
    turned = compare_grids(grid, reorientation.grid(label.grid))
    if turned.kind == "same":
        note = f"labels are turned into the scan's order of axes: from {label_codes} to {codes}"
        return _placed(label, reorientation.apply(label.array), grid), note
    if turned.kind == "close":
        note = f"labels are turned from {label_codes} to {codes} and resampled: {turned.sentence}"
        return _resampled(label, grid), note
    if not resample:
        raise DataError(
            f"scan and labels do not lie in the same place: {agreement.sentence}; pair them correctly, or "
            "resample the labels to the grid of their scan (--resample-labels)"
        )
    aligned = _resampled(label, grid)
    if label.array.any() and not aligned.array.any():
        raise DataError(f"nothing of the labels lies on the scan: {agreement.sentence}; pair them correctly")
    return aligned, f"labels are resampled onto the scan's grid, as asked: {agreement.sentence}"


def _resampled(label: LabelVolume, grid: Grid) -> LabelVolume:
    return _placed(label, resample_onto(label.array, label.grid, grid, "label_linear", 0), grid)


def _placed(label: LabelVolume, array: LabelArray, grid: Grid) -> LabelVolume:
    return LabelVolume(array, grid, label.notes, names=label.names)


def _pixel_on_pixel(label: LabelVolume, grid: Grid) -> tuple[LabelVolume, str | None]:
    """Only the size can tell whether a picture of labels belongs to a scan."""
    if label.grid.shape != grid.shape:
        raise DataError(
            f"the picture of labels has {label.grid.shape[0]} x {label.grid.shape[1]} pixels, its scan "
            f"{' x '.join(str(n) for n in grid.shape)} voxels; give labels of the scan's own size"
        )
    return _placed(label, label.array, grid), None
