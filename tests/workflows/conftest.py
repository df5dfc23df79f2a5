"""Small scans with known labels, written through the library's own writers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medsegan.geometry import Grid
from medsegan.imaging import LabelVolume, Volume, write_label, write_volume

SHAPE = (40, 36, 12)
# Columns point to the patient's left and back, as in most scans; 2 mm in the plane, 5 mm between slices.
LPS_AFFINE = np.array([[-2.0, 0, 0, 40], [0, -2.0, 0, 36], [0, 0, 5.0, -30], [0, 0, 0, 1]])

WriteCase = Callable[..., None]


def scan(appearance: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """An elliptic body with a large organ on the patient's right (1) and a small one on the left (2)."""
    random = np.random.default_rng(seed)
    i, j, k = np.indices(SHAPE)
    body = ((i - 19.5) / 17) ** 2 + ((j - 17.5) / 13) ** 2 <= 1
    right = ((i - 11) / 6) ** 2 + ((j - 17) / 7) ** 2 + ((k - 5.5) / 5) ** 2 <= 1
    left = ((i - 28) / 3.4) ** 2 + ((j - 20) / 3.4) ** 2 + ((k - 5.5) / 4) ** 2 <= 1
    values = (-1000, 20, 90, 180) if appearance == "ct" else (5, 300, 600, 150)
    array = np.select([left, right, body], [values[3], values[2], values[1]], values[0]).astype(np.int16)
    array += random.integers(-15, 16, SHAPE).astype(np.int16) if appearance == "ct" else 0
    array += random.integers(0, 30, SHAPE).astype(np.int16) if appearance == "mr" else 0
    return array, (right + 2 * left).astype(np.uint8)


@pytest.fixture(scope="session")
def write_case() -> WriteCase:
    """A function that writes one case: image path, label path or None, and what to vary."""

    def write(
        image: Path,
        label: Path | None = None,
        appearance: str = "ct",
        seed: int = 0,
        values: tuple[int, int] = (1, 2),
        shift_mm: float = 0.0,
    ) -> None:
        array, classes = scan(appearance, seed)
        image.parent.mkdir(parents=True, exist_ok=True)
        write_volume(Volume(array, Grid(SHAPE, LPS_AFFINE)), image)
        if label is None:
            return
        affine = LPS_AFFINE.copy()
        affine[0, 3] += shift_mm
        lookup = np.array([0, *values], dtype=np.uint16)
        label.parent.mkdir(parents=True, exist_ok=True)
        write_label(LabelVolume(lookup[classes], Grid(SHAPE, affine)), label)

    return write
