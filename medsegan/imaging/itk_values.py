"""What the header of a NRRD or MetaImage file says that its numbers stand for, which ITK passes over.

Source: MetaIO (itk.org), ElementToIntensityFunctionSlope and -Offset; "Definition of NRRD File Format"
(teem.sourceforge.net/nrrd/format.html), old min and old max.
"""

import math
from pathlib import Path

import numpy as np
from nibabel.volumeutils import apply_read_scaling

from ..errors import DataError, InputError
from ..shapes import Array
from .itk_payload import TextHeader

_FUNCTION = {"elementtointensityfunctionslope": 1.0, "elementtointensityfunctionoffset": 0.0}
_OLD_RANGE = (("old min", "oldmin"), ("old max", "oldmax"))


def as_meant(array: Array, header: TextHeader, path: Path) -> tuple[Array, tuple[str, ...]]:
    """The values that the stored numbers stand for, and what was done for it or is not known.

    Args:
        array: (I, J, K) as stored, or (I, J, K, C) colours.
        header: of the file.
        path: the file, for messages.

    Raises:
        InputError: slope or offset are no numbers, or the slope is 0.
        DataError: they are given for colours.
    """
    slope, offset = (_number(header, name, usual, path) for name, usual in _FUNCTION.items())
    if slope == 0:
        raise InputError(f"{path}: ElementToIntensityFunctionSlope is 0, which cannot be; the header is damaged")
    if (slope, offset) == (1.0, 0.0):
        return array, _range_note(header)
    if array.ndim != 3:
        raise DataError(f"{path}: colours with a slope of {slope:g} and an offset of {offset:g} mean nothing")
    note = (
        f"the values are the stored ones times {slope:g} plus {offset:g}, as the header says "
        "(ElementToIntensityFunctionSlope, -Offset); programs that are made with ITK leave that out"
    )
    return np.asarray(apply_read_scaling(array, slope, offset)), (note,)


def _number(header: TextHeader, name: str, usual: float, path: Path) -> float:
    text = header.fields.get(name)
    if text is None:
        return usual
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{path}: {name} is {text!r}, expected a number; the header is damaged")
    return number


def _range_note(header: TextHeader) -> tuple[str, ...]:
    """NRRD notes the range before a quantisation, and keeps it through whatever was done with the values since."""
    ends = [next((header.fields[name] for name in names if name in header.fields), None) for names in _OLD_RANGE]
    if not all(ends):
        return ()
    return (
        f"the values were quantised, and reached from {ends[0]} to {ends[1]} before that (old min, old max); they "
        "are taken as they are stored",
    )
