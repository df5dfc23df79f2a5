"""The golden masks, and scores to build reports from."""

from collections.abc import Callable

import numpy as np
import pytest

from medsegan.metrics import ClassScore, Status
from medsegan.shapes import MaskArray

SHAPE = (96, 96, 24)


def _ellipsoid(centre: tuple[int, int, int], radii: tuple[int, int, int]) -> MaskArray:
    grids = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    return sum(((g - c) / r) ** 2 for g, c, r in zip(grids, centre, radii, strict=True)) <= 1


def _box(*bounds: tuple[int, int]) -> MaskArray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[tuple(slice(*ends) for ends in bounds)] = True
    return mask


@pytest.fixture(scope="session")
def golden_masks() -> dict[str, tuple[MaskArray, MaskArray]]:
    """(prediction, reference) by case, on a grid of 0.8 x 0.8 x 5 mm."""
    reference = _ellipsoid((48, 48, 12), (22, 18, 7))
    prediction = _ellipsoid((50, 47, 12), (23, 18, 6))
    edge = _box((0, 40), (30, 60), (0, 10))
    return {
        "A": (prediction, reference),
        "B": (prediction | _box((88, 92), (88, 92), (20, 22)), reference),
        "H": (reference | _box((84, 94), (84, 94), (19, 23)), reference),
        "F": (_box((0, 42), (30, 60), (0, 11)), edge),
        "I": (_box((20, 70), (41, 42), (12, 13)), _box((20, 70), (40, 41), (12, 13))),
        "G": (edge.copy(), edge),
    }


@pytest.fixture(scope="session")
def make_score() -> Callable[..., ClassScore]:
    """A score with consistent raw values: `make_score("liver", dice=0.8, distance=3.0)`."""

    def make(
        name: str, *, dice: float = 0.8, distance: float = 3.0, status: Status = Status.OK, diagonal: float = 500.0
    ) -> ClassScore:
        n_reference = 0 if status in (Status.FALSE_ALARM, Status.BOTH_EMPTY) else 1000
        n_prediction = 0 if status in (Status.MISSED, Status.BOTH_EMPTY) else 1200
        overlap = {Status.OK: dice, Status.BOTH_EMPTY: None}.get(status, 0.0)
        far = {Status.OK: distance, Status.BOTH_EMPTY: None}.get(status, float("inf"))
        return ClassScore(
            class_name=name,
            status=status,
            dice=overlap,
            hd100_mm=far,
            hd95_mm=far,
            assd_mm=far,
            volume_difference_ml=(n_prediction - n_reference) / 100,
            reference_ml=n_reference / 100,
            prediction_ml=n_prediction / 100,
            n_reference=n_reference,
            n_prediction=n_prediction,
            iou=None if overlap is None else overlap / (2 - overlap),
            masd_mm=far,
            diagonal_mm=diagonal,
        )

    return make
