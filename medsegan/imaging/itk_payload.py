"""The text header of a NRRD or MetaImage file, and its voxels, to the last byte.

ITK does not compare checksums: of a compressed MetaImage with one bit changed it makes another image, and one that
does not give its compressed size it takes for uncompressed.

Source: "Definition of NRRD File Format" (teem.sourceforge.net/nrrd/format.html); "MetaIO" (itk.org).
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, InputError
from ..shapes import Array
from .inflate import Packing, read_packed

META_PLACES = frozenset(["transformmatrix", "rotation", "orientation"])
META_ORIGINS = frozenset(["offset", "position", "origin"])
META_SIZES = frozenset(["elementspacing", "elementsize"])
"""Fields of a MetaImage for the directions of its axes, its first voxel and the size of its voxels."""
_Place = tuple[Path, int, Packing | None, bool]
"""A file, its first byte with voxels (-1 = counted from the end), their packing, and whether they are text."""
_Payload = tuple[Array, tuple[str, ...]]
_LONGEST_HEADER = 1 << 20
_UNIT_LENGTH = 0.01
_MM = {"mm", "millimeter", "millimetre", ""}
_NRRD_PACKINGS: dict[str, Packing] = {"gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_TEXTS = ("ascii", "text", "txt", "hex")


@dataclass(frozen=True)
class TextHeader:
    """The header of a file.

    Args:
        fields: names in lower case -> values as they are written.
        length: of the header in bytes; the voxels follow in the same file unless a field names another one.
    """

    fields: dict[str, str]
    length: int


def read_text_header(path: Path) -> TextHeader:
    """The header of a NRRD or MetaImage file.

    Raises:
        InputError: the file cannot be read or does not begin with one.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LONGEST_HEADER)
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror})") from error
    if path.suffix.lower() in (".nrrd", ".nhdr"):
        return _nrrd_header(content, path)
    return _meta_header(content, path)


def read_payload(path: Path, header: TextHeader, n_values: int, dtype: np.dtype[Any]) -> _Payload | None:
    """The numbers of a file in their order, and notes; `None` for text and for several files, which ITK reads.

    Args:
        path: the file with the header.
        header: see `read_text_header`.
        n_values: numbers that it promises.
        dtype: of one of them.

    Raises:
        InputError: the file with the voxels is absent, cut off, too long or damaged.
    """
    is_nrrd = path.suffix.lower() in (".nrrd", ".nhdr")
    place = _nrrd_place(path, header) if is_nrrd else _meta_place(path, header)
    if place is None:
        return None
    voxels, offset, packing, is_text = place
    if not voxels.is_file():
        raise InputError(f"{path}: its voxels should lie in {voxels.name} beside it, which is not there")
    size, n_bytes = voxels.stat().st_size, n_values * dtype.itemsize
    notes: tuple[str, ...] = ()
    if is_text:
        if size < n_values:
            raise InputError(f"{voxels}: {size} bytes cannot hold {n_values} numbers as text; it is cut off")
        return None
    if packing is not None:
        content, notes = read_packed(voxels, offset, n_bytes, packing)
    else:
        first = size - n_bytes if offset < 0 else offset
        n_there = max(0, size - max(0, offset))
        if first < 0 or first + n_bytes != size:
            raise InputError(
                f"{voxels}: the header promises {n_bytes} bytes of voxels, it has {n_there}; "
                "it is damaged or cut off"
            )
        content = np.fromfile(voxels, dtype=np.uint8, count=n_bytes, offset=first)
    is_big = _is_big_endian(header.fields)
    array = content.view(dtype.newbyteorder(">" if is_big else "<"))
    native = array if array.dtype.isnative else array.byteswap(inplace=True).view(dtype)
    return native, notes


def _is_big_endian(fields: dict[str, str]) -> bool:
    said = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", ""))
    return fields.get("endian", "").lower() == "big" or _is_true(said)


def require_millimetres(path: Path, header: TextHeader) -> None:
    """Refuse lengths that are said to be in another unit than mm, which ITK would take as mm.

    Raises:
        DataError: a unit of the world is given and is not mm.
    """
    units = re.findall(r'"([^"]*)"', header.fields.get("space units", ""))
    units += [unit for unit in (header.fields.get("distanceunits", ""),) if unit != "?"]
    if not {unit.strip().lower() for unit in units} <= _MM:
        said = ", ".join(filter(None, units))
        raise DataError(
            f"{path}: lengths are in {said} (space units or DistanceUnits), expected mm; convert the file"
        )


def require_whole_lists(path: Path, header: TextHeader) -> None:
    """Refuse a header whose numbers are too few or no numbers, of which ITK would make something.

    Raises:
        InputError: the header is damaged.
    """
    if path.suffix.lower() in (".nrrd", ".nhdr"):
        _require_nrrd_numbers(path, header)
        return
    n_axes = _whole_numbers(header.fields.get("ndims", ""), path)[:1]
    for name in ("dimsize", *META_SIZES, *META_PLACES, *META_ORIGINS):
        if name not in header.fields:
            continue
        numbers = _whole_numbers(header.fields[name], path)
        expected = [n_axes[0] ** 2 if name in META_PLACES else n_axes[0]] if n_axes else []
        is_empty = name in META_SIZES and min(numbers, default=0) <= 0
        if [len(numbers)] != expected or is_empty or (name in META_PLACES and not _are_directions(numbers)):
            raise InputError(f"{path}: {name} is {header.fields[name]!r}, which cannot be; the header is damaged")


def _require_nrrd_numbers(path: Path, header: TextHeader) -> None:
    """NaN stands for axes that are none of space, in the spacings alone."""
    fields = header.fields
    spacings = [_number(part) for part in fields.get("spacings", "").split()]
    places = re.split(r"[\s(),]+", fields.get("space directions", "") + " " + fields.get("space origin", ""))
    numbers = [_number(part) for part in places if part and part.lower() != "none"]
    n_spacings = sum(math.isfinite(spacing) and spacing > 0 for spacing in spacings)
    if not all(map(math.isfinite, numbers)) or (spacings and n_spacings < min(3, len(spacings))):
        raise InputError(f"{path}: spacings, space directions or space origin are no numbers; it is damaged")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _are_directions(numbers: list[float]) -> bool:
    """Whether each axis has a direction of length 1: all that tells a damaged matrix from a right one."""
    n_axes = math.isqrt(len(numbers))
    axes = [numbers[first : first + n_axes] for first in range(0, len(numbers), n_axes)]
    return all(abs(math.hypot(*axis) - 1.0) < _UNIT_LENGTH for axis in axes)


def _whole_numbers(text: str, path: Path) -> list[float]:
    try:
        numbers = [float(part) for part in text.split()]
    except ValueError as error:
        raise InputError(f"{path}: {text!r} in its header are no numbers; it is damaged") from error
    if not all(math.isfinite(number) for number in numbers):
        raise InputError(f"{path}: {text!r} in its header are no finite numbers; it is damaged")
    return numbers


def _nrrd_header(content: bytes, path: Path) -> TextHeader:
    if not content.startswith(b"NRRD"):
        raise InputError(f"{path}: this is no readable NRRD file; it does not begin with NRRD")
    ending = re.search(rb"\r?\n\r?\n", content)
    length = len(content) if ending is None else ending.end()
    fields: dict[str, str] = {}
    for line in content[:length].decode("latin-1").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon and not value.startswith("=") and not line.startswith("#"):
            fields[" ".join(name.lower().split())] = value.strip()
    return TextHeader(fields, length)


def _meta_header(content: bytes, path: Path) -> TextHeader:
    fields: dict[str, str] = {}
    first = 0
    for line in content.splitlines(keepends=True):
        first += len(line)
        name, _, value = line.decode("latin-1").partition("=")
        fields[name.strip().lower()] = value.strip()
        if name.strip().lower() == "elementdatafile":
            return TextHeader(fields, first)
    raise InputError(f"{path}: this is no readable MetaImage file; its header has no ElementDataFile")


def _nrrd_place(path: Path, header: TextHeader) -> _Place | None:
    """Where the voxels are; `None` if they are in several files, or behind lines that are to be skipped."""
    fields = header.fields
    encoding = fields.get("encoding", "raw").lower()
    named = fields.get("data file", fields.get("datafile"))
    if named is not None and (named.upper().startswith("LIST") or "%" in named):
        return None
    packing = _NRRD_PACKINGS.get(encoding)
    skipped = int(fields.get("byte skip", fields.get("byteskip", "0")) or 0)
    has_lines = int(fields.get("line skip", fields.get("lineskip", "0")) or 0) != 0
    if has_lines or (packing is not None and skipped):
        return None
    voxels, offset = (path, header.length) if named is None else (path.parent / named, 0)
    return voxels, -1 if skipped < 0 else offset + skipped, packing, encoding in _TEXTS


def _meta_place(path: Path, header: TextHeader) -> _Place | None:
    """As of NRRD."""
    fields = header.fields
    named = fields["elementdatafile"]
    if named.upper().startswith("LIST") or "%" in named:
        return None
    is_here = named.upper() == "LOCAL"
    skipped = int(fields.get("headersize", "0") or 0)
    offset = -1 if skipped < 0 else header.length if is_here else skipped
    packing: Packing | None = "zlib" if _is_true(fields.get("compresseddata", "")) else None
    is_text = "binarydata" in fields and not _is_true(fields["binarydata"])
    return path if is_here else path.parent / named, offset, packing, is_text and packing is None


def _is_true(value: str) -> bool:
    return value[:1].upper() in ("T", "1")
