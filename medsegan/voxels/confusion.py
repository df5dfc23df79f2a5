"""How often each class of one label volume meets each class of another."""

import ctypes

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..shapes import Array
from . import library
from .labels import LabelPair

MAX_CLASSES = 4096


def confusion(
    prediction: Array, reference: Array, n_classes: int, *, threads: int | None = None
) -> npt.NDArray[np.int64]:
    """(K, K) voxel counts: row r, column p holds the voxels of class r in the reference and p in the prediction.

    Args:
        prediction: integers 0..K-1, any shape.
        reference: integers 0..K-1, the same shape.
        n_classes: K, 1 to 4096.
        threads: how many to use; None = as many as this process may.

    Raises:
        DataError: the shapes differ, an array does not hold integers, or a value is not 0..K-1.
        ValueError: K is out of its range.
    """
    if not 1 <= n_classes <= MAX_CLASSES:
        raise ValueError(f"n_classes must be 1 to {MAX_CLASSES}, got {n_classes}")
    pair = LabelPair.of(prediction, reference)
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    bad = np.zeros(2, dtype=np.int64)
    done = library.call(
        "confusion",
        pair.prediction.ctypes,
        pair.reference.ctypes,
        ctypes.c_int(pair.type_number),
        ctypes.c_int64(pair.prediction.size),
        ctypes.c_int64(n_classes),
        ctypes.c_int(threads or library.default_threads()),
        counts.ctypes,
        bad.ctypes,
    )
    if not done:
        return _plain(pair, n_classes)
    if bad[0]:
        raise _no_class("prediction" if bad[0] == 1 else "reference", int(bad[1]), n_classes)
    return counts


def _plain(pair: LabelPair, n_classes: int) -> npt.NDArray[np.int64]:
    flat = {"prediction": pair.prediction.ravel(), "reference": pair.reference.ravel()}
    bad = [(values < 0) | (values >= n_classes) for values in flat.values()]
    either = bad[0] | bad[1]
    if either.any():
        first = int(either.argmax())
        name = "prediction" if bad[0][first] else "reference"
        raise _no_class(name, int(flat[name][first]), n_classes)
    cells = flat["reference"].astype(np.int64) * n_classes + flat["prediction"]
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64, copy=False)


def _no_class(name: str, value: int, n_classes: int) -> DataError:
    return DataError(f"the {name} holds the value {value}, which is none of the classes 0 to {n_classes - 1}")
