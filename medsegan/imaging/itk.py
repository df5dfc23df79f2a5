"""NRRD and MetaImage files, through SimpleITK; its LPS world turned into RAS+."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)

from ..errors import DataError, InputError
from ..geometry import Grid
from ..shapes import Array
from .itk_payload import (
    META_ORIGINS,
    META_PLACES,
    META_SIZES,
    TextHeader,
    read_payload,
    read_text_header,
    require_millimetres,
    require_whole_lists,
)
from .itk_values import as_meant
from .label_table import names_to_fields
from .lps import RAS_FROM_LPS
from .stored import StoredArray
from .voxels import require_three_axes

_MAX_COSINE = 0.05
"""These formats store any three directions; further off a right angle they are taken for damage."""
_KNOWN_SPACES = frozenset(
    [
        *("left-posterior-superior", "lps", "right-anterior-superior", "ras", "left-anterior-superior", "las"),
    ]
)
_IO = {".nrrd": "NrrdImageIO", ".nhdr": "NrrdImageIO", ".mha": "MetaImageIO", ".mhd": "MetaImageIO"}


def read_itk(path: Path, *, with_colours: bool = False) -> StoredArray:
    """The voxels and place of a NRRD or MetaImage file.

    Args:
        path: .nrrd, .nhdr, .mha or .mhd.
        with_colours: whether voxels of three or four bytes are read as (I, J, K, 3) or (I, J, K, 4) uint8, not
            refused.

    Raises:
        InputError: the file is absent or damaged.
        DataError: it is no single volume of plain numbers.
    """
    reader, header = open_itk(path)
    n_components, kind = reader.GetNumberOfComponents(), _dtype_of(reader)
    is_colour = with_colours and n_components in (3, 4) and kind == np.uint8
    if n_components != 1 and not is_colour:
        raise DataError(f"{path}: every voxel has {n_components} values, expected 1; export one channel")
    sizes = reader.GetSize()
    require_three_axes(sizes, kind, path)
    require_millimetres(path, header)
    try:
        grid = Grid((sizes[0], sizes[1], sizes[2]), _affine_of(reader))
        n_values = math.prod(sizes) * n_components
        payload = read_payload(path, header, n_values, kind) if n_components == 1 or _is_meta(reader) else None
        flat, notes = payload or (sitk.GetArrayFromImage(reader.Execute()), ())
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the voxels cannot be read ({error}); the file is damaged") from error
    except (RuntimeError, MemoryError) as error:
        raise InputError(f"{path}: the voxels cannot be read; {_last_line(error)}") from error
    array = flat.reshape(*sizes[2::-1], *((n_components,) if is_colour else ()))
    array = array.transpose((2, 1, 0, 3) if is_colour else (2, 1, 0))
    array, value_notes = as_meant(array, header, path)
    return StoredArray(array, grid, (*_notes(reader, header), *notes, *value_notes))


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


def _dtype_of(reader: sitk.ImageFileReader) -> np.dtype[np.generic]:
    """SimpleITK names its types as numpy does, but for "32-bit float" and the like; a small image translates."""
    one = sitk.Image([1, 1], reader.GetPixelID(), reader.GetNumberOfComponents())
    return sitk.GetArrayViewFromImage(one).dtype


def open_itk(path: Path) -> tuple[sitk.ImageFileReader, TextHeader]:
    """ITK with the header of a file read, and the header itself, looked at first: ITK says little, fills in much.

    Raises:
        InputError: the file is absent, damaged or neither NRRD nor MetaImage.
        DataError: it has fewer than three axes.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    header = read_text_header(path)
    require_whole_lists(path, header)
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
    if _is_meta(reader):
        _require_as_written(reader, header, path)
    return reader, header


def _require_as_written(reader: sitk.ImageFileReader, header: TextHeader, path: Path) -> None:
    """Refuse what ITK understands otherwise than it is written: of a damaged line it makes its own defaults."""
    n_axes = reader.GetDimension()
    directions = np.array(reader.GetDirection()).reshape(n_axes, n_axes).T.ravel()
    understood = {("dimsize",): reader.GetSize(), tuple(META_PLACES): directions}
    understood |= {tuple(META_SIZES): reader.GetSpacing(), tuple(META_ORIGINS): reader.GetOrigin()}
    for names, values in understood.items():
        written = [header.fields[name].split() for name in names if name in header.fields]
        if written and not any(np.allclose([float(part) for part in line], values) for line in written):
            raise InputError(f"{path}: {', '.join(names)} cannot be understood; the header is damaged")


def _reader_like(like: Path, grid: Grid) -> sitk.ImageFileReader | None:
    """The header of a file; `None` if it is of another format or lies elsewhere."""
    if like.suffix.lower() not in _IO:
        return None
    reader, _ = open_itk(like)
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


def _is_meta(reader: sitk.ImageFileReader) -> bool:
    return bool(reader.GetImageIO() == "MetaImageIO")


def _notes(reader: sitk.ImageFileReader, header: TextHeader) -> tuple[str, ...]:
    """What the file leaves out and ITK fills in."""
    fields = header.fields
    notes = []
    if not _is_meta(reader):
        space = fields.get("space", "")
        has_directions = "space directions" in fields
        if not space:
            notes.append(
                "the file does not say how the patient lies (no space field); taken as left-posterior-superior"
            )
        elif space.lower() not in _KNOWN_SPACES:
            notes.append(
                f"the space {space!r} does not say how the patient lies; taken as left-posterior-superior"
            )
        if not has_directions and "spacings" not in fields:
            notes.append("the file gives no size of its voxels; taken as 1 mm")
        if "space origin" not in fields:
            notes.append("the file does not say where its first voxel lies; taken as 0, 0, 0")
        return tuple(notes)
    if not META_PLACES & fields.keys():
        notes.append("the file does not say how the patient lies (no TransformMatrix); taken as that of DICOM")
    if not META_SIZES & fields.keys():
        notes.append("the file gives no size of its voxels; taken as 1 mm")
    if not META_ORIGINS & fields.keys():
        notes.append("the file does not say where its first voxel lies; taken as 0, 0, 0")
    return tuple(notes)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
