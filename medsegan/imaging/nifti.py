"""NIfTI-1 and NIfTI-2 files, single or as a pair, compressed or not."""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Extension
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from ..errors import DataError, InputError
from ..geometry import Grid
from ..shapes import Array
from .label_table import CARET, names_to_xml
from .nifti_header import changed_places, copy_place, stored_header
from .voxels import as_three_axes

_BROKEN = (
    ImageFileError,
    HeaderDataError,
    WrapStructError,
    OSError,
    EOFError,
    zlib.error,
    ValueError,
    OverflowError,
)
_UNITS_IN_MM = {1: 1000.0, 3: 0.001}
"""xyzt_units of metres and microns (NIfTI-1, "xyzt_units"); all others are millimetres."""
_MAX_COSINE = 0.05
_NOTED_COSINE = 1e-3
_NOTED_CONFLICT_VOXELS = 0.1


@dataclass(frozen=True, eq=False)
class StoredArray:
    """The voxels of a file before they are taken as intensities or labels.

    Args:
        array: (I, J, K) values after the file's own slope and intercept.
        grid: where they lie.
        notes: what is worth telling about the file.
    """

    array: Array
    grid: Grid
    notes: tuple[str, ...]


def read_nifti(path: Path) -> StoredArray:
    """The voxels, place and oddities of a NIfTI file; the sform wins over the qform.

    Raises:
        InputError: the file is absent, truncated or no NIfTI.
        DataError: it is no single volume, or its axes are far from right angles.
    """
    image = open_nifti(path)
    try:
        values = np.asanyarray(image.dataobj)
    except _BROKEN as error:
        raise InputError(f"{path}: the voxels cannot be read ({error}); the file is damaged or cut off") from error
    notes: list[str] = []
    if values.ndim == 2 and values.dtype.names is None:
        values = values[..., None]
        notes.append("the image has two axes; read as a volume of one slice")
    array = as_three_axes(values, path)
    scale = _mm_per_unit(image.header)
    if scale != 1.0:
        notes.append(f"the header gives lengths in other units; multiplied by {scale:g} to get mm")
    try:
        grid = Grid(_shape_of(array), _in_millimetres(image.affine, image.header))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    _check_angles(grid, path, notes)
    _check_forms(grid, image.header, notes)
    return StoredArray(array, grid, tuple(notes))


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


def open_nifti(path: Path) -> Any:
    """The nibabel image of a NIfTI file, whose voxels are not read yet.

    Raises:
        InputError: the file is absent, damaged or no NIfTI.
        DataError: it is one of the formats that nibabel reads besides.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        if path.name.lower().endswith((".nii", ".nii.gz")) and _is_gzip(path) != path.name.lower().endswith(".gz"):
            image = _from_bytes(path)
        else:
            image = nib.load(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: the other half of the pair is missing ({error})") from error
    except _BROKEN as error:
        raise InputError(f"{path}: this is no readable NIfTI file ({error})") from error
    if not isinstance(image, nib.Nifti1Pair):
        raise DataError(
            f"{path}: this is {type(image).__name__}, not NIfTI; it does not say where left and right are. "
            "Convert it with the tool that wrote it"
        )
    return image


def count_volumes(path: Path) -> int:
    """How many volumes of three axes a NIfTI file holds, from its header alone; 1 for a file of another format."""
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return 1
    try:
        return int(np.prod(open_nifti(path).shape[3:]))
    except (InputError, DataError):
        return 1  # it is refused where it is read


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _from_bytes(path: Path) -> Any:
    """A file whose name does not say whether it is compressed."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    sizes = {int.from_bytes(content[:4], "little"), int.from_bytes(content[:4], "big")}
    image_type = nib.Nifti2Image if 540 in sizes else nib.Nifti1Image
    return image_type.from_bytes(content)


def _mm_per_unit(header: Any) -> float:
    return _UNITS_IN_MM.get(int(header["xyzt_units"]) & 7, 1.0)


def _in_millimetres(affine: Array, header: Any) -> npt.NDArray[np.float64]:
    scaled = np.array(affine, dtype=np.float64)
    scaled[:3] *= _mm_per_unit(header)
    return scaled


def _check_angles(grid: Grid, path: Path, notes: list[str]) -> None:
    linear = grid.world_from_voxel[:3, :3] / np.array(grid.spacing_mm)
    cosine = float(np.abs(linear.T @ linear - np.eye(3)).max())
    degrees = float(np.degrees(np.arcsin(min(cosine, 1.0))))
    if cosine > _MAX_COSINE:
        raise DataError(
            f"{path}: the voxel axes are {degrees:.1f} degrees off a right angle (sheared, as by gantry tilt), "
            f"at most {np.degrees(np.arcsin(_MAX_COSINE)):.1f} are accepted; resample it to a straight grid first"
        )
    if cosine > _NOTED_COSINE:
        notes.append(f"the voxel axes are {degrees:.2f} degrees off a right angle; distances along them are kept")


def _check_forms(grid: Grid, header: Any, notes: list[str]) -> None:
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if sform_code == 0 and qform_code == 0:
        notes.append(
            "the header does not say how the patient lies (qform and sform codes are 0); "
            "taken as centred, first axis to the left"
        )
    if sform_code == 0 or qform_code == 0:
        return
    try:
        qform_grid = Grid(grid.shape, _in_millimetres(header.get_qform(), header))
    except (DataError, HeaderDataError, ValueError):
        notes.append("the qform of the header is invalid; the sform was taken")
        return
    distance_voxels = grid.corner_distance_voxels(qform_grid)
    if distance_voxels > _NOTED_CONFLICT_VOXELS:
        notes.append(
            f"qform and sform differ by up to {distance_voxels * min(grid.spacing_mm):.3g} mm; the sform was taken"
        )


def _header_like(like: Path, grid: Grid) -> Any:
    """The header of a file as it is stored; `None` if the file lies elsewhere or is no NIfTI."""
    if not like.name.lower().endswith((".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")):
        return None
    image = open_nifti(like)
    affine = _in_millimetres(image.affine, image.header)
    if _three_sizes(image.shape) != grid.shape or not np.array_equal(affine, grid.world_from_voxel):
        return None
    named = image.file_map["header"].filename if "header" in image.file_map else None
    return stored_header(Path(named or like))


def _three_sizes(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The sizes of the first three axes; an image of two has one slice."""
    first, second, third = (*shape, 1)[:3]
    return first, second, third


def _shape_of(array: Array) -> tuple[int, int, int]:
    first, second, third = array.shape
    return first, second, third
