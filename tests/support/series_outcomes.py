"""What must come of an odd series: the right volume, or a refusal with its reason; never another volume."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from medsegan.errors import DataError, InputError
from medsegan.imaging import Volume, read_series

Off = Callable[[Volume], tuple[np.ndarray, np.ndarray]]
MOST_HU = 6.0
"""What a voxel may differ from the truth at its place in the world."""


@dataclass(frozen=True)
class Outcome:
    """What is required of a series.

    Args:
        n_slices: of the volume; `None` = it is refused.
        says: a pattern that the notes or the error must match; "" = there must be no note.
        added_hu: by how much all voxels are higher than the truth of the usual field.
        series: asked for.
        fix_gaps: asked for.
    """

    n_slices: int | None
    says: str = ""
    added_hu: int = 0
    series: str | None = None
    fix_gaps: bool = False


def right(n_slices: int = 12, says: str = "", **asked) -> Outcome:
    return Outcome(n_slices, says, **asked)


def refused(says: str, **asked) -> Outcome:
    return Outcome(None, says, **asked)


def require_right(volume: Volume, off: Off, n_slices: int, added_hu: int = 0) -> None:
    """Each voxel that a slice reached holds what its place demands, and no slice is missing or made up."""
    assert volume.array.shape[2] == n_slices
    assert np.isfinite(volume.array).all()
    lifted = Volume(volume.array.astype(np.float64) - added_hu, volume.grid)
    distance, _ = off(lifted)
    is_filled = volume.array == (-1024 if volume.modality == "ct" else 0)
    assert is_filled.mean() < 0.35
    assert distance[~is_filled].max() <= MOST_HU


def require(outcome: Outcome, path: Path, off: Off) -> None:
    """Read the series at `path` and hold it against what is required."""
    asked = {"series": outcome.series, "fix_gaps": outcome.fix_gaps}
    if outcome.n_slices is None:
        with pytest.raises((DataError, InputError)) as caught:
            read_series(path, **asked)
        assert re.search(outcome.says, str(caught.value), re.DOTALL), str(caught.value)
        return
    volume = read_series(path, **asked)
    # A field lifted as a whole has no air, which is rightly told.
    told = [note for note in volume.notes if outcome.says or not (outcome.added_hu and "below 0 HU" in note)]
    notes = "; ".join(told)
    require_right(volume, off, outcome.n_slices, outcome.added_hu)
    assert re.search(outcome.says, notes) if outcome.says else not notes, notes
