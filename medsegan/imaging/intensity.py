"""The intensities of a scan on one scale, whatever scanner made it."""

from dataclasses import dataclass
from typing import Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ..errors import DataError
from ..shapes import Array, FloatArray, MaskArray
from .volume import Modality

ScaleKind = Literal["hu", "percentile"]

DEFAULT_WINDOWS: dict[str, tuple[float, float]] = {
    "ct": (-125.0, 275.0),
    "mr": (0.0, 1000.0),
    "xray": (0.0, 1000.0),
}
"""The window that models see, in stored units: Hounsfield units for CT, thousandths of the body's range for MR and
of the picture's for X-ray."""

_HU_LIMITS = (-1024.0, 3071.0)
_INT16 = (-32768.0, 32767.0)
_UNITS = 1000.0
_MAX_UNITS = 2000.0
_BODY_PERCENTILES = (0.5, 99.5)
_BODY_LEVEL = 0.1
_AXIS_SAMPLES = 96
_MIN_BODY = 0.01
_BAND = 1 << 15


@dataclass(frozen=True)
class IntensityScale:
    """How intensities are stored as int16.

    Args:
        kind: "hu" keeps Hounsfield units; "percentile" maps `low` to 0 and `high` to 1000.
        low: intensity that becomes 0; for "hu" the lower end of the usual range, not used.
        high: intensity that becomes 1000, above `low`; for "hu" the upper end, not used.

    Raises:
        DataError: the ends are not finite or not in order, or the kind is unknown.
    """

    kind: ScaleKind
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.kind not in ("hu", "percentile"):
            raise DataError(f"unknown intensity scale {self.kind!r}, expected 'hu' or 'percentile'")
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise DataError(f"an intensity scale needs two rising ends, got {self.low} and {self.high}")

    def encode(self, array: Array) -> npt.NDArray[np.int16]:
        """The intensities in stored units, rounded: HU as they are, or 0 to 2000 for "percentile".

        Args:
            array: any shape; NaN becomes the low end.
        """
        if self.kind == "hu" and array.dtype == np.int16:
            return array.copy()
        flat = np.asarray(array, dtype=np.float32).reshape(-1)
        stored = np.empty(flat.size, dtype=np.int16)
        for first in range(0, flat.size, _BAND):  # what is worked on stays in the processor's cache
            stored[first : first + _BAND] = self._rounded(flat[first : first + _BAND])
        return stored.reshape(array.shape)

    def _rounded(self, values: FloatArray) -> FloatArray:
        if self.kind == "hu":
            bottom, top, empty = *_INT16, _HU_LIMITS[0]
        else:
            bottom, top, empty = 0.0, _MAX_UNITS, 0.0
            values = (values - np.float32(self.low)) * np.float32(_UNITS / (self.high - self.low))
        rounded = np.rint(values)
        rounded[np.isnan(rounded)] = np.float32(empty)
        return np.clip(rounded, bottom, top, out=rounded)

    def to_json(self) -> dict[str, Any]:
        """The scale as plain numbers, exact to the last bit."""
        return {"kind": self.kind, "low": self.low, "high": self.high}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The scale that `to_json` wrote."""
        return cls(cast(ScaleKind, document["kind"]), float(document["low"]), float(document["high"]))


def fit_scale(array: Array, modality: Modality) -> IntensityScale:
    """The scale for a scan: Hounsfield units for CT, else the 0.5 to 99.5 percentiles of the body.

    An X-ray has no air around a body to be left out: its percentiles are those of all pixels but the
    darkest, which are borders and collimators.

    The body is taken roughly and with everything inside it, so that the amount of air around it does not matter;
    NaN and constant padding are left out.

    Args:
        array: (I, J, K) intensities.
        modality: "ct" takes Hounsfield units; "xray" leaves out its border; anything else is measured on the body.

    Raises:
        DataError: an image without contrast.
    """
    if modality == "ct":
        return IntensityScale("hu", *_HU_LIMITS)
    strides = tuple(slice(None, None, max(1, n // _AXIS_SAMPLES)) for n in array.shape)
    thinned = np.asarray(array[strides], dtype=np.float64)
    finite = np.isfinite(thinned)
    if not finite.any() or thinned[finite].min() == thinned[finite].max():
        raise DataError("the image has no contrast: all its voxels are equal or NaN; leave it out")
    body = _without_border(thinned, finite) if modality == "xray" else _body(thinned, finite)
    low, high = np.percentile(thinned[body], _BODY_PERCENTILES)
    if low >= high:
        low, high = thinned[finite].min(), thinned[finite].max()
    return IntensityScale("percentile", float(low), float(high))


def _without_border(values: Array, finite: MaskArray) -> MaskArray:
    """What is not of the darkest value, if that is enough to be the picture."""
    inside = finite & (values > values[finite].min())
    return inside if inside.mean() >= _MIN_BODY else finite


def _body(values: Array, finite: MaskArray) -> MaskArray:
    """What lies above a tenth of the bright end, with its holes filled slice by slice along every axis."""
    padding = values == values[finite].min()
    inside = finite & ~padding
    bottom, top = np.percentile(values[inside], (2, 98))
    smooth = ndimage.uniform_filter(np.where(finite, values, bottom), size=3)
    body = smooth > bottom + _BODY_LEVEL * (top - bottom)
    for axis in range(3):
        across = np.moveaxis(body, axis, 0)
        for index in range(across.shape[0]):
            across[index] = ndimage.binary_fill_holes(across[index])
    body &= finite
    return body if body.mean() >= _MIN_BODY else inside
