"""How often each class of one label volume meets each class of another."""

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import DataError
from ..shapes import Array
from . import library
from .labels import LabelPair

MAX_CLASSES = 4096

_Counts = npt.NDArray[np.int64]


def confusion(prediction: Array, reference: Array, n_classes: int, *, threads: int | None = None) -> _Counts:
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
    _require_size(n_classes)
    pair = LabelPair.of(prediction, reference)
    counts = _compiled(pair, n_classes, None, threads)
    return _plain(pair, n_classes) if counts is None else counts


def confusion_of_labels(
    prediction: Array, reference: Array, labels: Sequence[int], *, threads: int | None = None
) -> _Counts:
    """(1 + K, 1 + K) voxel counts as of `confusion`, for the label n of the list in row and column 1 + n.

    Args:
        prediction: integers, any shape.
        reference: integers, the same shape.
        labels: distinct values of K classes; row and column 0 count voxels of any other value.
        threads: how many to use; None = as many as this process may.

    Raises:
        DataError: the shapes differ, or an array does not hold integers.
        ValueError: a label is there twice, or there are more than 4095.
    """
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels must be distinct, got {list(labels)}")
    _require_size(len(labels) + 1)
    pair = LabelPair.of(prediction, reference)
    counts = _compiled(pair, len(labels) + 1, np.array(labels, dtype=np.int64), threads)
    return _plain_of_labels(pair, labels) if counts is None else counts


def _require_size(n_classes: int) -> None:
    if not 1 <= n_classes <= MAX_CLASSES:
        raise ValueError(f"n_classes must be 1 to {MAX_CLASSES}, got {n_classes}")


def _compiled(
    pair: LabelPair, n_classes: int, labels: npt.NDArray[np.int64] | None, threads: int | None
) -> _Counts | None:
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    bad = np.zeros(2, dtype=np.int64)
    done = library.call(
        "confusion",
        pair.prediction.ctypes,
        pair.reference.ctypes,
        ctypes.c_int(pair.type_number),
        ctypes.c_int64(pair.prediction.size),
        ctypes.c_int64(n_classes),
        None if labels is None else labels.ctypes,
        ctypes.c_int(threads or library.default_threads()),
        counts.ctypes,
        bad.ctypes,
    )
    if bad[0]:
        raise _no_class("prediction" if bad[0] == 1 else "reference", int(bad[1]), n_classes)
    return counts if done else None


def _plain(pair: LabelPair, n_classes: int) -> _Counts:
    flat = {"prediction": pair.prediction.ravel(), "reference": pair.reference.ravel()}
    bad = [(values < 0) | (values >= n_classes) for values in flat.values()]
    either = bad[0] | bad[1]
    if either.any():
        first = int(either.argmax())
        name = "prediction" if bad[0][first] else "reference"
        raise _no_class(name, int(flat[name][first]), n_classes)
    return _count(flat["prediction"], flat["reference"], n_classes)


def _plain_of_labels(pair: LabelPair, labels: Sequence[int]) -> _Counts:
    rows = []
    for values in (pair.prediction, pair.reference):
        rows.append(np.zeros(values.size, dtype=np.int64))
        for row, label in enumerate(labels, start=1):
            rows[-1][values.ravel() == label] = row
    return _count(rows[0], rows[1], len(labels) + 1)


def _count(columns: Array, rows: Array, n_classes: int) -> _Counts:
    cells = rows.astype(np.int64) * n_classes + columns
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes).astype(np.int64, copy=False)


def _no_class(name: str, value: int, n_classes: int) -> DataError:
    return DataError(f"the {name} holds the value {value}, which is none of the classes 0 to {n_classes - 1}")
