"""Class probabilities to disk: one NIfTI file with the classes along its fourth axis."""

from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np

from ..atomic import atomic_file
from ..errors import InputError, UsageError
from ..geometry import Grid
from ..shapes import FloatArray


def write_probabilities(volumes: Iterable[FloatArray], n_classes: int, grid: Grid, path: Path) -> None:
    """Write probabilities as uint8 with slope 1/255, so that readers see 0..1; whole or not at all.

    Args:
        volumes: one (I, J, K) array in 0..1 for every class, background first; consumed one at a time.
        n_classes: number of classes.
        grid: of every volume.
        path: ends in .nii or .nii.gz.

    Raises:
        UsageError: another suffix.
        InputError: the file cannot be written.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise UsageError(f"{path}: class probabilities have four axes and are written as .nii.gz or .nii only")
    stored = np.empty((*grid.shape, n_classes), dtype=np.uint8)
    for index, volume in enumerate(volumes):
        stored[..., index] = np.rint(np.clip(volume, 0.0, 1.0) * 255.0)
    image = nib.Nifti1Image(stored, grid.world_from_voxel)
    image.header.set_slope_inter(1.0 / 255.0, 0.0)
    image.header.set_xyzt_units("mm")
    image.set_qform(grid.world_from_voxel, code=1, strip_shears=True)
    image.set_sform(grid.world_from_voxel, code=1)
    suffix = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    try:
        with atomic_file(path, suffix) as partial:
            nib.save(image, partial)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error})") from error
