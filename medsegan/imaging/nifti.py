"""NIfTI-1 and NIfTI-2 files, single or as a pair, compressed or not."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.nifti1 import Nifti1Extension
from nibabel.volumeutils import apply_read_scaling

from ..errors import DataError, InputError
from ..geometry import Grid
from ..shapes import Array
from .inflate import read_exactly
from .label_table import CARET, names_to_xml
from .nifti_header import HEADER_FAILURES, NiftiHeader, place_nifti, read_nifti_header
from .nifti_place import changed_places, copy_place, stored_header
from .stored import StoredArray
from .voxels import require_three_axes


def read_nifti(path: Path, *, with_colours: bool = False, channel: int | None = None) -> StoredArray:
    """The voxels, place and oddities of a NIfTI file; the sform wins over the qform.

    Args:
        path: .nii, .hdr or .img, with or without .gz.
        with_colours: whether RGB and RGBA are read as (I, J, K, 3) and (I, J, K, 4) uint8, not refused.
        channel: which one of a file with several volumes, counted from 0; `None` = it holds one.

    Raises:
        InputError: the file is absent, cut off, damaged or no NIfTI.
        DataError: it is no single volume, or its place makes no sense.
    """
    header = read_nifti_header(path)
    notes = list(header.notes)
    sizes = header.sizes
    is_colour = with_colours and header.dtype.names is not None
    voxel = np.dtype(np.uint8) if is_colour else header.dtype
    if len(sizes) == 2 and voxel.names is None:
        sizes = (*sizes, 1)
        notes.append("the image has two axes; read as a volume of one slice")
    if channel is not None:
        notes.append(_require_channel(header, channel))
        sizes = header.three_sizes
    require_three_axes(sizes, voxel, path)
    grid, place_notes = place_nifti(header)
    array, voxel_notes = _read_voxels(header, channel)
    if is_colour:
        array = array.view(np.uint8).reshape(*sizes[2::-1], -1).transpose(2, 1, 0, 3)
    else:
        array = array.reshape(sizes[:3], order="F")
    return StoredArray(array, grid, (*notes, *place_notes, *voxel_notes))


def _require_channel(header: NiftiHeader, channel: int) -> str:
    """What to say of the volume that is read of several; refused where it is not there."""
    n_volumes = math.prod(header.sizes[3:])
    if n_volumes == 1 or not 0 <= channel < n_volumes or max(header.sizes[3:]) != n_volumes:
        held = "one volume" if n_volumes == 1 else f"{n_volumes} volumes, its axes are {header.sizes}"
        raise DataError(
            f"{header.path}: number {channel} of its volumes, counted from 0, was asked for (--contrast), but it "
            f"holds {held}; ask for another one, or for none where there is one"
        )
    return f"volume {channel} of {n_volumes} of the file, counted from 0, as asked for"


def _read_voxels(header: NiftiHeader, channel: int | None) -> tuple[Array, tuple[str, ...]]:
    """The values of all voxels, or of one volume, after slope and intercept, first axis fastest."""
    try:
        content, notes = read_exactly(header.voxels_path, header.offset, header.n_bytes)
        slope, intercept = header.fields.get_slope_inter()
    except (*HEADER_FAILURES, MemoryError) as error:
        raise InputError(
            f"{header.path}: the voxels cannot be read ({error}); the file is damaged or cut off"
        ) from error
    stored = content.view(header.dtype)
    if channel is not None:
        n_voxels = math.prod(header.three_sizes)
        # A copy, so that the other volumes are not kept.
        stored = stored[channel * n_voxels : (channel + 1) * n_voxels].copy()
    if not stored.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    if slope is None or header.dtype.kind not in "iuf":
        return stored, notes
    return np.asarray(apply_read_scaling(stored, slope, intercept)), notes


def write_nifti(
    array: Array, grid: Grid, path: Path, like: Path | None = None, names: Mapping[int, str] | None = None
) -> None:
    """Write one volume with slope 1, and prove that what was taken over of another header is there.

    Args:
        array: (I, J, K), stored in its own type.
        grid: its place; qform and sform get equal codes.
        path: ends in .nii or .nii.gz.
        like: a file whose place fields (sizes, codes, both forms, units) are taken over bit by bit if it lies on
            exactly this grid; `None` writes fresh ones.
        names: value -> name of each class, for a table in the file; `None` = none.

    Raises:
        DataError: a field is not in the file as it was taken over.
    """
    source = _header_like(like, grid) if like is not None else None
    if source is not None:
        image_type = nib.Nifti2Image if isinstance(source, nib.Nifti2Header) else nib.Nifti1Image
        image = image_type(array.reshape(source.get_data_shape()), None, image_type.header_class())
        image.header.set_data_dtype(array.dtype)
        image.header.set_slope_inter(1.0, 0.0)
        image.update_header()
        copy_place(source, image.header)
    else:
        image = nib.Nifti1Image(array, grid.world_from_voxel)
        image.header.set_xyzt_units("mm")
        image.set_sform(grid.world_from_voxel, code=1)
        image.set_qform(grid.world_from_voxel, code=1, strip_shears=True)
        image.header.set_slope_inter(1.0, 0.0)
    if names:
        image.header.extensions.append(Nifti1Extension(CARET, names_to_xml(names)))
    nib.save(image, path)
    changed = changed_places(source, stored_header(path)) if source is not None else []
    if changed:
        raise DataError(f"{path}: the header fields {', '.join(changed)} are not stored as those of {like}")


def count_volumes(path: Path) -> int:
    """How many volumes of three axes a NIfTI file holds, from its header alone; 1 for a file of another format."""
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return 1
    try:
        return math.prod(read_nifti_header(path).sizes[3:])
    except (InputError, DataError):
        return 1  # it is refused where it is read


def _header_like(like: Path, grid: Grid) -> Any:
    """The header of a file as it is stored, of several volumes that of one; `None` if it lies elsewhere."""
    if not like.name.lower().endswith((".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")):
        return None
    found = read_nifti_header(like)
    if found.three_sizes != grid.shape:
        return None
    if not np.array_equal(place_nifti(found)[0].world_from_voxel, grid.world_from_voxel):
        return None
    header = stored_header(found.header_path)
    if math.prod(found.sizes[3:]) != 1:
        header["dim"] = [3, *found.three_sizes, 1, 1, 1, 1]
    return header
