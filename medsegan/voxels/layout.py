"""The order of axes in memory. NIfTI arrays come with the first axis fastest; the kernels want the last."""

from typing import Any

import numpy as np
import numpy.typing as npt


def as_contiguous(first: npt.NDArray[Any], *others: npt.NDArray[Any]) -> tuple[list[npt.NDArray[Any]], list[int]]:
    """The arrays with their axes permuted so that the last is the fastest, and the permutation.

    All arrays are permuted as suits the first; whichever is not dense then is copied. An array in Fortran order
    costs nothing. `np.transpose(result, np.argsort(axes))` undoes it.

    Args:
        first: any shape.
        others: of the same number of dimensions.
    """
    axes = sorted(range(first.ndim), key=lambda axis: -abs(first.strides[axis]))
    return [np.ascontiguousarray(array.transpose(axes)) for array in (first, *others)], axes
