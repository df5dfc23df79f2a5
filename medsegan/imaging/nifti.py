"""NIfTI-1 and NIfTI-2 files, single or as a pair, compressed or not."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.volumeutils import apply_read_scaling

from ..errors import InputError
from ..geometry import Grid
from ..shapes import Array
from .inflate import read_exactly
from .nifti_header import HEADER_FAILURES, NiftiHeader, place_nifti, read_nifti_header
from .stored import StoredArray
from .voxels import require_three_axes

_PLACE_FIELDS = (
    *("qform_code", "sform_code", "xyzt_units"),
    *("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z"),
)


def read_nifti(path: Path, *, with_colours: bool = False) -> StoredArray:
    """The voxels, place and oddities of a NIfTI file; the sform wins over the qform.

    Args:
        path: .nii, .hdr or .img, with or without .gz.
        with_colours: whether RGB and RGBA are read as (I, J, K, 3) and (I, J, K, 4) uint8, not refused.

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
    require_three_axes(sizes, voxel, path)
    grid, place_notes = place_nifti(header)
    array, voxel_notes = _read_voxels(header)
    if is_colour:
        array = array.view(np.uint8).reshape(*sizes[2::-1], -1).transpose(2, 1, 0, 3)
    else:
        array = array.reshape(sizes[:3], order="F")
    return StoredArray(array, grid, (*notes, *place_notes, *voxel_notes))


def _read_voxels(header: NiftiHeader) -> tuple[Array, tuple[str, ...]]:
    """The values of all voxels after slope and intercept, first axis fastest."""
    try:
        content, notes = read_exactly(header.voxels_path, header.offset, header.n_bytes)
        slope, intercept = header.fields.get_slope_inter()
    except (*HEADER_FAILURES, MemoryError) as error:
        raise InputError(
            f"{header.path}: the voxels cannot be read ({error}); the file is damaged or cut off"
        ) from error
    stored = content.view(header.dtype)
    if not stored.dtype.isnative:
        stored = stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
    if slope is None or header.dtype.kind not in "iuf":
        return stored, notes
    return np.asarray(apply_read_scaling(stored, slope, intercept)), notes


def write_nifti(array: Array, grid: Grid, path: Path, like: Path | None = None) -> None:
    """Write one volume with slope 1.

    Args:
        array: (I, J, K), stored in its own type.
        grid: its place; qform and sform get equal codes.
        path: ends in .nii or .nii.gz.
        like: a file whose place fields (codes, both forms, units) are taken over bit by bit if it lies on
            exactly this grid; `None` writes fresh ones.
    """
    header = _header_like(like, grid) if like is not None else None
    if header is not None:
        header.set_data_dtype(array.dtype)
        image_type = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
        image = image_type(array, None, header)
    else:
        image = nib.Nifti1Image(array, grid.world_from_voxel)
        image.header.set_xyzt_units("mm")
        image.set_sform(grid.world_from_voxel, code=1)
        image.set_qform(grid.world_from_voxel, code=1, strip_shears=True)
    image.header.set_slope_inter(1.0, 0.0)
    nib.save(image, path)


def read_nifti_grid(path: Path) -> tuple[Grid, np.dtype[Any]]:
    """The place and the stored type of a NIfTI file, from its header alone."""
    header = read_nifti_header(path)
    return place_nifti(header)[0], header.dtype


def _header_like(like: Path, grid: Grid) -> Any:
    """A fresh header with the place fields of a file; `None` if the file lies elsewhere or is no NIfTI."""
    if not like.name.lower().endswith((".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")):
        return None
    found = read_nifti_header(like)
    lies_here = found.three_sizes == grid.shape and not found.notes
    if not lies_here or not np.array_equal(place_nifti(found)[0].world_from_voxel, grid.world_from_voxel):
        return None
    source = found.fields
    header = nib.Nifti2Header() if isinstance(source, nib.Nifti2Header) else nib.Nifti1Header()
    for name in _PLACE_FIELDS:
        header[name] = source[name]
    header.set_data_shape(grid.shape)
    header["pixdim"][:4] = source["pixdim"][:4]
    return header
