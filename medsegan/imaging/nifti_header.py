"""The header of a NIfTI file: what is in the file and where its voxels lie, with every contradiction found.

Source: NIfTI-1 (nifti1.h) and NIfTI-2 (nifti2.h), "3D image orientation and location in space".
"""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from ..errors import DataError, InputError
from ..geometry import Grid
from ..shapes import Array
from .inflate import open_plain_or_gzip

HEADER_FAILURES = (
    *(HeaderDataError, WrapStructError, OSError, EOFError, zlib.error),
    *(ValueError, OverflowError, LookupError),
)
"""What nibabel raises on damaged headers; LookupError of types that it does not know."""
_KINDS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
"""Bytes of a header -> its kind."""
_MAGICS = {348: (slice(344, 348), b"n+1\0", b"ni1\0"), 540: (slice(4, 12), b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")}
_EXTENDER = 4
_HALVES = ((".hdr", ".img"), (".hdr.gz", ".img.gz"))
_UNITS_IN_MM = {1: 1000.0, 3: 0.001}
"""xyzt_units of metres and microns (NIfTI-1, "xyzt_units"); all others are millimetres."""
_EXTENT_MM = (0.05, 10_000.0)
"""The longest edge of a scan of a patient or a specimen lies well between these: beyond, units are wrong."""
_NOTED_CONFLICT_VOXELS = 0.1
_NOTED_SPACING = 0.01
_MOST_AXES = 7


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """A header as it was read, its place not yet looked at.

    Args:
        path: the file that was named, for messages.
        header_path: the file with the header.
        voxels_path: the file with the voxels; the same one unless it is a pair.
        fields: the header of nibabel, pixdim made positive.
        sizes: length of each axis.
        dtype: of the voxels as stored, in the byte order of the file.
        offset: bytes before the first voxel.
        notes: what was repaired.
    """

    path: Path
    header_path: Path
    voxels_path: Path
    fields: Any
    sizes: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    notes: tuple[str, ...]

    @property
    def n_bytes(self) -> int:
        """Length of the voxels in bytes."""
        n_bytes = self.dtype.itemsize
        for size in self.sizes:
            n_bytes *= size
        return n_bytes

    @property
    def three_sizes(self) -> tuple[int, int, int]:
        """The sizes of the first three axes; an image of two has one slice."""
        first, second, third = (*self.sizes, 1, 1)[:3]
        return first, second, third


def read_nifti_header(path: Path) -> NiftiHeader:
    """The header of a NIfTI file, read from its content whatever its name says of compression.

    Raises:
        InputError: the file is absent, damaged or no NIfTI, or the other half of a pair is missing.
        DataError: it is Analyze, which does not say where left is, or declares no voxels.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    header_path, voxels_path = _halves(path)
    for half in (header_path, voxels_path):
        if not half.is_file():
            raise InputError(f"{path}: the other half of the pair is missing ({half.name})")
    try:
        with open_plain_or_gzip(header_path) as stream:
            content = stream.read(max(_KINDS))
        fields = _parse(content, header_path, is_pair=header_path != voxels_path)
        dtype = fields.get_data_dtype()
        offset = _offset_of(fields, path, is_pair=header_path != voxels_path)
    except HEADER_FAILURES as error:
        raise InputError(f"{path}: this is no readable NIfTI file ({error})") from error
    notes = []
    pixdim = fields["pixdim"]
    if (pixdim[1:4] < 0).any():
        notes.append("the header gives negative voxel sizes; their absolute values are taken")
        pixdim[1:4] = np.abs(pixdim[1:4])
    return NiftiHeader(
        path, header_path, voxels_path, fields, _sizes_of(fields, path), dtype, offset, tuple(notes)
    )


def read_extensions(path: Path) -> list[Any]:
    """The header extensions of a NIfTI file, as nibabel has them.

    Raises:
        InputError, DataError: see `read_nifti_header`; an extension that is damaged raises what nibabel raises.
    """
    header = read_nifti_header(path)
    is_second = isinstance(header.fields, nib.Nifti2Header)
    if header.header_path == header.voxels_path:
        kind = nib.Nifti2Header if is_second else nib.Nifti1Header
    else:
        kind = nib.Nifti2Pair.header_class if is_second else nib.Nifti1Pair.header_class
    with open_plain_or_gzip(header.header_path) as stream:
        return list(kind.from_fileobj(stream, check=False).extensions)


def place_nifti(header: NiftiHeader) -> tuple[Grid, tuple[str, ...]]:
    """Where the voxels lie, and what the header contradicts itself in; the sform wins over the qform.

    Raises:
        DataError: the header says nothing that can be right.
    """
    notes: list[str] = []
    scale = _mm_per_unit(header.fields)
    if scale != 1.0:
        notes.append(f"the header gives lengths in other units; multiplied by {scale:g} to get mm")
    fields = header.fields
    has_sform, has_qform = int(fields["sform_code"]) > 0, int(fields["qform_code"]) > 0
    sform = _grid_or_reason(header, fields.get_sform) if has_sform else "its code is 0"
    qform = _grid_or_reason(header, lambda: _qform(fields)) if has_qform else "its code is 0"
    if isinstance(sform, Grid):
        grid = sform
        notes += _conflict_with_qform(grid, qform, header) if has_qform else _conflict_with_sizes(grid, fields)
    elif isinstance(qform, Grid):
        grid = qform
        if has_sform:
            notes.append("the sform of the header is invalid; the qform was taken")
    elif has_sform or has_qform:
        raise DataError(
            f"{header.path}: the header does not say where the voxels lie: sform: {sform}; qform: {qform}; the "
            "file is damaged, or convert it again"
        )
    else:
        grid = _centred(header)
        notes.append(
            "the header does not say how the patient lies (qform and sform codes are 0); "
            "taken as centred, first axis to the left"
        )
    _require_plausible(grid, header.path)
    return grid, tuple(notes)


def _halves(path: Path) -> tuple[Path, Path]:
    """The files of the header and of the voxels."""
    for header_suffix, voxels_suffix in _HALVES:
        for suffix in (header_suffix, voxels_suffix):
            if path.name.lower().endswith(suffix):
                stem = path.name[: -len(suffix)]
                named = {suffix: path}
                return (
                    named.get(header_suffix, _in_any_case(path, stem + header_suffix)),
                    named.get(voxels_suffix, _in_any_case(path, stem + voxels_suffix)),
                )
    return path, path


def _in_any_case(path: Path, name: str) -> Path:
    lower, upper = path.with_name(name), path.with_name(name[: name.rfind(".")] + name[name.rfind(".") :].upper())
    return upper if not lower.exists() and upper.exists() else lower


def _parse(content: bytes, path: Path, *, is_pair: bool) -> Any:
    for size, kind in _KINDS.items():
        place, single, pair = _MAGICS[size]
        orders = [mark for mark, order in (("<", "little"), (">", "big")) if content[:4] == _int32(size, order)]
        if not orders or len(content) < size:
            continue
        if content[place] == (pair if is_pair else single):
            return kind(content[:size], endianness=orders[0], check=False)
        if content[place] in (single, pair):
            said = "this" if is_pair else "another"
            raise InputError(
                f"{path}: its header says that the voxels are in {said} file, its name says otherwise; is it "
                "renamed or damaged?"
            )
        if is_pair and size == min(_KINDS):
            raise DataError(
                f"{path}: this is Analyze, not NIfTI; it does not say where left and right are. Convert it with "
                "the tool that wrote it"
            )
    raise ValueError("it does not begin with a header of 348 or 540 bytes with the magic of NIfTI")


def _int32(number: int, order: Any) -> bytes:
    return number.to_bytes(4, order)


def _sizes_of(fields: Any, path: Path) -> tuple[int, ...]:
    dim = [int(size) for size in fields["dim"]]
    if not 1 <= dim[0] <= _MOST_AXES:
        raise InputError(f"{path}: the header gives {dim[0]} axes, expected 1 to {_MOST_AXES}; it is damaged")
    sizes = tuple(dim[1 : dim[0] + 1])
    if min(sizes) < 1:
        raise DataError(f"{path}: the image is empty: the header gives axes of {sizes} voxels")
    return sizes


def _offset_of(fields: Any, path: Path, *, is_pair: bool) -> int:
    """Bytes before the voxels; a single file that says 0 has none between."""
    offset = float(fields["vox_offset"])
    first = 0 if is_pair else int(fields["sizeof_hdr"])
    if offset == 0:
        return 0 if is_pair else first + _EXTENDER
    if not (offset >= first and offset.is_integer()):
        raise InputError(f"{path}: the voxels cannot begin at byte {offset:g} (vox_offset); the header is damaged")
    return int(offset)


def _mm_per_unit(fields: Any) -> float:
    return _UNITS_IN_MM.get(int(fields["xyzt_units"]) & 7, 1.0)


def _qform(fields: Any) -> Array:
    """Nibabel's, with a pixdim[0] that is neither 1 nor -1 taken as 1, as nifti1.h asks for 0."""
    pixdim = fields["pixdim"]
    if pixdim[0] == 0:
        fields = fields.copy()
        fields["pixdim"][0] = 1
    return np.asarray(fields.get_qform())


def _grid_or_reason(header: NiftiHeader, affine_of: Any) -> Grid | str:
    try:
        with np.errstate(all="ignore"):
            return Grid(header.three_sizes, _in_millimetres(affine_of(), header.fields))
    except (DataError, HeaderDataError, ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
        return str(error)


def _in_millimetres(affine: Array, fields: Any) -> npt.NDArray[np.float64]:
    scaled = np.array(affine, dtype=np.float64)
    scaled[:3] *= _mm_per_unit(fields)
    return scaled


def _centred(header: NiftiHeader) -> Grid:
    """Nibabel's choice for a header without forms: the centre of the image at 0, the first axis to the left."""
    spacing = np.array(header.fields["pixdim"][1:4], dtype=np.float64)
    linear = np.diag([-spacing[0], spacing[1], spacing[2]])
    affine = np.eye(4)
    affine[:3, :3] = linear
    affine[:3, 3] = -linear @ ((np.array(header.three_sizes) - 1) / 2)
    try:
        return Grid(header.three_sizes, _in_millimetres(affine, header.fields))
    except DataError as error:
        raise DataError(f"{header.path}: {error}") from error


def _conflict_with_qform(grid: Grid, qform: Grid | str, header: NiftiHeader) -> list[str]:
    if not isinstance(qform, Grid):
        return ["the qform of the header is invalid; the sform was taken"]
    if grid.corner_distance_voxels(qform) <= _NOTED_CONFLICT_VOXELS:
        return []
    return [f"qform and sform differ by up to {grid.corner_distance_mm(qform):.3g} mm; the sform was taken"]


def _conflict_with_sizes(grid: Grid, fields: Any) -> list[str]:
    """Where there is no qform, pixdim is the only witness of the sform; what is not set does not count."""
    pixdim_mm = np.array(fields["pixdim"][1:4], dtype=np.float64) * _mm_per_unit(fields)
    spacing_mm = np.array(grid.spacing_mm)
    is_set = np.isfinite(pixdim_mm) & (pixdim_mm != 0) & (np.array(grid.shape) > 1)
    if not (is_set & (np.abs(pixdim_mm - spacing_mm) > _NOTED_SPACING * spacing_mm)).any():
        return []
    said, taken = (" x ".join(f"{number:.4g}" for number in numbers) for numbers in (pixdim_mm, spacing_mm))
    return [f"pixdim gives voxels of {said} mm, the sform of {taken} mm; the sform was taken"]


def _require_plausible(grid: Grid, path: Path) -> None:
    """Refuse what no scanner makes: the sign of wrong units or a damaged exponent."""
    longest_mm = max(n * spacing for n, spacing in zip(grid.shape, grid.spacing_mm, strict=True))
    if not _EXTENT_MM[0] <= longest_mm <= _EXTENT_MM[1]:
        spacing = " x ".join(f"{number:.3g}" for number in grid.spacing_mm)
        raise DataError(
            f"{path}: the header makes voxels of {spacing} mm and a scan {longest_mm:.3g} mm long, expected "
            f"{_EXTENT_MM[0]:g} to {_EXTENT_MM[1]:g} mm; are its units (xyzt_units) right?"
        )
