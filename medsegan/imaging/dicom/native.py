"""The pixels of an uncompressed slice, read to where they belong without a look at the header again."""

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...shapes import Array
from ..volume import Modality
from .plain import PlainElements

NATIVE_KEYWORDS = (
    *("BitsAllocated", "HighBit", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept", "NumberOfFrames"),
)
"""The elements that `native_pixels` asks for beside those of a header."""

HIGHEST_TISSUE_HU = 3072.0
"""A CT value up to this may be real, whatever the header says of padding."""
_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True)
class NativePixels:
    """Sixteen-bit pixels that lie in a file as they are.

    Args:
        offset: of the first byte.
        is_signed: whether stored numbers are.
        n_bits: BitsStored.
        scale: slope and intercept.
        padding: lowest and highest stored number that is no picture; None = all are.
    """

    offset: int
    is_signed: bool
    n_bits: int
    scale: tuple[float, float]
    padding: tuple[int, int] | None

    @property
    def stored_range(self) -> tuple[int, int]:
        """The lowest and the highest number that BitsStored allow."""
        return (
            (-(1 << self.n_bits - 1), (1 << self.n_bits - 1) - 1)
            if self.is_signed
            else (0, (1 << self.n_bits) - 1)
        )


def native_pixels(elements: PlainElements, scale: tuple[float, float]) -> NativePixels | None:
    """Where and how the pixels of a grey slice lie; None where a decoder has to look at them.

    Args:
        elements: of a file.
        scale: its slope and intercept, 1 and 0 where it has none.
    """
    n_bits, is_signed = elements.integer("BitsStored") or 0, elements.integer("PixelRepresentation")
    n_bytes = 2 * (elements.integer("Rows") or 0) * (elements.integer("Columns") or 0)
    is_usual = (
        sys.byteorder == "little"
        and elements.pixels is not None
        and elements.pixels[1] == n_bytes > 0
        and elements.integer("BitsAllocated") == 16
        and elements.integer("HighBit") in (None, n_bits - 1)
        and 1 <= n_bits <= 16
        and is_signed in (0, 1)
        and elements.integer("SamplesPerPixel") == 1
        and elements.text("PhotometricInterpretation") == "MONOCHROME2"
        and elements.text("NumberOfFrames") in ("", "1")
        and "ModalityLUTSequence" not in elements
        and all(map(math.isfinite, scale))
        and scale[0] != 0
    )
    if not is_usual:
        return None
    assert elements.pixels is not None
    # Written with or without sign, and often with the wrong one: the bits are meant as those of the pixels.
    first, last = (elements.values.get(f"PixelPadding{name}", b"") for name in ("Value", "RangeLimit"))
    if len(first) not in (0, 2) or len(last) not in (0, 2):
        return None
    ends = sorted(int.from_bytes(value, "little", signed=is_signed == 1) for value in (first, last or first))
    return NativePixels(elements.pixels[0], is_signed == 1, n_bits, scale, (ends[0], ends[1]) if first else None)


def read_native(
    path: Path, native: NativePixels, modality: Modality, plane: npt.NDArray[np.int16]
) -> Array | None:
    """The values of a slice; None where a decoder has to look at them: padding, bits above BitsStored, a cut file.

    Args:
        path: its file.
        native: where the pixels lie.
        modality: of the slice.
        plane: (rows, columns) contiguous, into which is read; destroyed where the result is another array.

    Returns:
        `plane` itself where slope and intercept keep the values whole and they fit, else float32.
    """
    try:
        with path.open("rb", buffering=0) as stream:
            stream.seek(native.offset)
            if stream.readinto(plane.data) != plane.nbytes:
                return None
    except OSError:
        return None
    stored = plane if native.is_signed else plane.view(np.uint16)
    low, high = int(stored.min()), int(stored.max())
    if low < native.stored_range[0] or high > native.stored_range[1] or _has_padding(native, low, high, modality):
        return None
    slope, intercept = native.scale
    if not (slope.is_integer() and intercept.is_integer()):
        return np.asarray(stored.astype(np.float64) * slope + intercept, dtype=np.float32)
    ends = sorted(number * int(slope) + int(intercept) for number in (low, high))
    if ends[0] < _INT16.min or ends[1] > _INT16.max:
        return None
    # Modulo 2^16, which is exact where the results fit.
    bits = plane.view(np.uint16)
    if slope != 1:
        bits *= np.uint16(int(slope) & 0xFFFF)
    if intercept != 0:
        bits += np.uint16(int(intercept) & 0xFFFF)
    return plane


def _has_padding(native: NativePixels, low: int, high: int, modality: Modality) -> bool:
    """Whether there may be padding that has to be replaced; of CT that is what no tissue can be."""
    if native.padding is None or native.padding[1] < low or native.padding[0] > high:
        return False
    slope, intercept = native.scale
    ends = (max(native.padding[0], low), min(native.padding[1], high))
    return modality != "ct" or max(slope * number + intercept for number in ends) > HIGHEST_TISSUE_HU
