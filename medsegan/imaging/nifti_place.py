"""The fields of a NIfTI header that say where its voxels lie, bit by bit as they are stored."""

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from ..errors import DataError

PLACE_FIELDS = (
    *("dim", "pixdim", "xyzt_units", "qform_code", "sform_code"),
    *("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z"),
)
"""Their names are the same in NIfTI-1 and NIfTI-2; the first of pixdim is qfac."""
_HEADERS = {348: nib.Nifti1Header, 540: nib.Nifti2Header}


def stored_header(path: Path) -> Any:
    """The header of a NIfTI file as a nibabel header, without the repairs that nibabel makes when it opens one.

    Args:
        path: of the header, alone or in front of its voxels, compressed or not, of either byte order.

    Raises:
        DataError: it begins as no NIfTI file does.
    """
    with path.open("rb") as stream:
        is_packed = stream.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if is_packed else path.open("rb") as stream:
        content = stream.read(max(_HEADERS))
    for order, sign in (("little", "<"), ("big", ">")):
        n_bytes = int.from_bytes(content[:4], order)  # type: ignore[arg-type]
        if n_bytes in _HEADERS and len(content) >= n_bytes:
            return _HEADERS[n_bytes](content[:n_bytes], endianness=sign, check=False)
    raise DataError(f"{path}: this is no NIfTI header")


def copy_place(source: Any, target: Any) -> None:
    """Give a header the place of another one of the same version, bit by bit."""
    for name in PLACE_FIELDS:
        target[name] = source[name]


def changed_places(source: Any, target: Any) -> list[str]:
    """The names of the fields that two headers do not have in common, to the last bit."""
    return [name for name in PLACE_FIELDS if _bits(source, name) != _bits(target, name)]


def _bits(header: Any, name: str) -> bytes:
    values = np.asarray(header[name])
    return values.astype(values.dtype.newbyteorder("<")).tobytes()
