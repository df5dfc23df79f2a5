"""Pairs of label volumes in the one form that the kernels read: same integer type, last axis fastest."""

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..shapes import Array
from .layout import as_contiguous

_TYPES = tuple(np.dtype(name) for name in ("uint8", "uint16", "int16", "int32", "int64"))  # numbered in labels.h


@dataclass(frozen=True, eq=False)
class LabelPair:
    """Two label volumes of one shape and type.

    Args:
        prediction: integers, contiguous.
        reference: of the same shape and type, contiguous.
        axes: axis of the original arrays that each axis here was.
    """

    prediction: Array
    reference: Array
    axes: tuple[int, ...]

    @classmethod
    def of(cls, prediction: Array, reference: Array) -> "LabelPair":
        """The pair in the order of memory; no copy if both have one integer type and are dense alike.

        Args:
            prediction: integers or bool, any shape, dense in any order of axes.
            reference: integers or bool, the same shape.

        Raises:
            DataError: the shapes differ, or an array does not hold integers.
        """
        if prediction.shape != reference.shape:
            raise DataError(
                f"prediction of shape {prediction.shape} and reference of shape {reference.shape} cannot be "
                "compared; bring them onto one grid first"
            )
        for name, array in (("prediction", prediction), ("reference", reference)):
            if array.dtype.kind not in "bui":
                raise DataError(f"the {name} must hold integer labels, got {array.dtype}; round it first")
            if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
                raise DataError(f"the {name} holds the value {array.max()}, larger than any 64-bit signed integer")
        both = [array.view(np.uint8) if array.dtype == np.bool_ else array for array in (prediction, reference)]
        common = next((t for t in _TYPES if all(np.can_cast(array.dtype, t) for array in both)), _TYPES[-1])
        (first, second), axes = as_contiguous(*(array.astype(common, copy=False) for array in both))
        return cls(first, second, tuple(axes))

    @property
    def type_number(self) -> int:
        """The integer type as the kernels call it."""
        return _TYPES.index(self.prediction.dtype)
