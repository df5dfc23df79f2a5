"""NRRD and MetaImage files, through SimpleITK; its LPS world turned into RAS+."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)

from ..errors import DataError, InputError
from ..geometry import Grid
from ..shapes import Array
from .label_table import names_to_fields
from .lps import RAS_FROM_LPS
from .nifti import StoredArray
from .voxels import as_three_axes

_MAX_COSINE = 0.05
"""These formats store any three directions; further off a right angle they are taken for damage."""
_IO = {".nrrd": "NrrdImageIO", ".nhdr": "NrrdImageIO", ".mha": "MetaImageIO", ".mhd": "MetaImageIO"}


def read_itk(path: Path) -> StoredArray:
    """The voxels and place of a NRRD or MetaImage file.

    Raises:
        InputError: the file is absent or damaged.
        DataError: it is no single volume of plain numbers.
    """
    reader = open_itk(path)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise InputError(f"{path}: the voxels cannot be read; {_last_line(error)}") from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        n_components = image.GetNumberOfComponentsPerPixel()
        raise DataError(f"{path}: every voxel has {n_components} values, expected 1; export one channel")
    array = as_three_axes(sitk.GetArrayFromImage(image).T, path)
    try:
        grid = Grid((array.shape[0], array.shape[1], array.shape[2]), _affine_of(reader))
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return StoredArray(np.ascontiguousarray(array), grid, _notes(reader))


def write_itk(
    array: Array, grid: Grid, path: Path, like: Path | None = None, names: Mapping[int, str] | None = None
) -> None:
    """Write one volume as compressed NRRD or MetaImage.

    Args:
        array: (I, J, K), stored in its own type.
        grid: its place.
        path: ends in .nrrd or .mha.
        like: a file of these formats whose origin, spacing and directions are taken over to the last digit if it
            lies on exactly this grid; `None` = those of the grid.
        names: value -> name of each class, for fields of the header; `None` = none.

    Raises:
        DataError: see `require_itk_writable`.
    """
    require_itk_writable(path, grid)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    source = _reader_like(like, grid) if like is not None else None
    if source is not None:
        image.SetSpacing(source.GetSpacing()[:3])
        image.SetOrigin(source.GetOrigin()[:3])
        image.SetDirection(_directions_of(source).ravel().tolist())
    else:
        affine = RAS_FROM_LPS @ grid.world_from_voxel
        spacing = np.array(grid.spacing_mm)
        image.SetSpacing(spacing.tolist())
        image.SetOrigin(affine[:3, 3].tolist())
        image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    for key, text in names_to_fields(names or {}, grid.shape, ascii_only=is_ascii_only(path)).items():
        image.SetMetaData(key, text)
    sitk.WriteImage(image, str(path), useCompression=True)


def is_ascii_only(path: Path) -> bool:
    """Whether headers of this format hold plain letters alone: MetaImage drops all others."""
    return _IO.get(path.suffix.lower()) == "MetaImageIO"


def require_itk_writable(path: Path, grid: Grid) -> None:
    """Refuse a grid that other programs would not take from these formats.

    Raises:
        DataError: the axes of the grid are further from right angles than is accepted of any scan.
    """
    direction = grid.world_from_voxel[:3, :3] / np.array(grid.spacing_mm)
    cosine = float(np.abs(direction.T @ direction - np.eye(3)).max())
    if cosine > _MAX_COSINE:
        raise DataError(
            f"{path}: the axes are {np.degrees(np.arcsin(min(cosine, 1.0))):.1f} degrees off a right angle, at "
            f"most {np.degrees(np.arcsin(_MAX_COSINE)):.1f} can be written as {path.suffix}; write .nii.gz instead"
        )


def open_itk(path: Path) -> sitk.ImageFileReader:
    """A reader that has read the header of a NRRD or MetaImage file.

    Raises:
        InputError: the file is absent, damaged or none of these.
        DataError: it has fewer than three axes.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # ITK writes to stderr; what matters is said in notes
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(_IO.get(path.suffix.lower(), ""))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path}: this is no readable {path.suffix} file; {_last_line(error)}") from error
    if reader.GetDimension() < 3:
        raise DataError(f"{path}: the image has {reader.GetDimension()} axes {reader.GetSize()}, expected 3")
    return reader


def _reader_like(like: Path, grid: Grid) -> sitk.ImageFileReader | None:
    """The header of a file; `None` if it is of another format or lies elsewhere."""
    if like.suffix.lower() not in _IO:
        return None
    reader = open_itk(like)
    is_same = reader.GetSize()[:3] == grid.shape and np.array_equal(_affine_of(reader), grid.world_from_voxel)
    return reader if is_same else None


def _directions_of(reader: sitk.ImageFileReader) -> npt.NDArray[np.float64]:
    n_axes = reader.GetDimension()
    return np.array(reader.GetDirection(), dtype=np.float64).reshape(n_axes, n_axes)[:3, :3]


def _affine_of(reader: sitk.ImageFileReader) -> npt.NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3, :3] = _directions_of(reader) * np.array(reader.GetSpacing()[:3])
    affine[:3, 3] = reader.GetOrigin()[:3]
    return RAS_FROM_LPS @ affine


def _notes(reader: sitk.ImageFileReader) -> tuple[str, ...]:
    is_nrrd = reader.GetImageIO() == "NrrdImageIO"
    if is_nrrd and not reader.HasMetaDataKey("NRRD_space"):
        return ("the file does not say how the patient lies (no space field); taken as left-posterior-superior",)
    return ()


def _last_line(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
