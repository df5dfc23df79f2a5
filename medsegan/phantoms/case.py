"""One phantom: a scan and its labels, from a seed, a number and an appearance."""

from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from ..imaging import LabelVolume, Volume
from .anatomy import Anatomy, sample_anatomy
from .appearance import Appearance, render
from .canvas import Canvas
from .organs import paint_organs
from .placement import Placement, sample_placement
from .wall import paint_couch, paint_lungs, paint_spine, paint_vessels, paint_wall

COUCH_SHARE = 0.6
"""Share of CT cases in which the scanner's table is in view."""

_APPEARANCE_KEYS: dict[Appearance, int] = {"ct": 1, "mr": 2}


@dataclass(frozen=True, eq=False)
class Phantom:
    """A synthetic patient with a scan and perfect labels.

    Args:
        volume: int16 scan; HU for CT, arbitrary units >= 0 for MR.
        label: uint8 values of `PhantomLabels`, on the grid of `volume`.
        variants: rare shapes that this patient has, names from `anatomy.RARE`.
    """

    volume: Volume
    label: LabelVolume
    variants: frozenset[str]


def generate_case(
    seed: int, index: int, appearance: Appearance, *, in_plane_mm: float = 2.2, slice_mm: float = 7.0
) -> Phantom:
    """A random abdomen; equal arguments give equal voxels, CT and MR draw from one distribution of patients.

    The patients of CT and MR differ: case 3 of CT and case 3 of MR are two people.

    Args:
        seed: of the whole data set, at least 0.
        index: number of the case in the data set, at least 0.
        appearance: "ct" or "mr".
        in_plane_mm: nominal voxel spacing within a slice; each case varies it by about 10 %.
        slice_mm: nominal distance of the slices, varied likewise.

    Raises:
        UsageError: an unknown appearance, a negative seed or index, or a spacing outside 0.3..20 mm.
    """
    _require_valid(seed, index, appearance, (in_plane_mm, slice_mm))
    key = np.random.SeedSequence([seed, index, _APPEARANCE_KEYS[appearance]])
    for_anatomy, for_placement, for_shape, for_image = (np.random.default_rng(child) for child in key.spawn(4))
    anatomy = sample_anatomy(for_anatomy)
    placement = sample_placement(for_placement, anatomy, in_plane_mm, slice_mm)
    canvas = _paint(anatomy, placement, appearance, for_shape)
    image = render(canvas.tissue, appearance, placement.grid.spacing_mm, for_image)
    grid = placement.order.grid(placement.grid)
    stored, labels = (np.ascontiguousarray(placement.order.apply(array)) for array in (image, canvas.label))
    return Phantom(Volume(stored, grid, appearance), LabelVolume(labels, grid), anatomy.variants)


def _paint(anatomy: Anatomy, placement: Placement, appearance: Appearance, rng: np.random.Generator) -> Canvas:
    """The finished tissue and label maps, frame first, because organs press against it."""
    canvas = Canvas.blank(placement.points(rng), rng)
    paint_wall(canvas, anatomy)
    paint_spine(canvas, anatomy)
    paint_lungs(canvas, anatomy)
    paint_vessels(canvas, anatomy, float(rng.uniform(0.5, 2.5)))
    paint_organs(canvas, anatomy)
    has_couch = rng.random() < COUCH_SHARE
    if appearance == "ct" and has_couch:
        paint_couch(canvas, anatomy.wall)
    return canvas


def _require_valid(seed: int, index: int, appearance: str, spacings_mm: tuple[float, float]) -> None:
    if appearance not in _APPEARANCE_KEYS:
        raise UsageError(f"phantoms look like 'ct' or 'mr', not like {appearance!r}; choose one of the two")
    if seed < 0 or index < 0:
        raise UsageError(f"seed and index of a phantom are at least 0, got seed {seed} and index {index}")
    if not all(0.3 <= spacing <= 20.0 for spacing in spacings_mm):
        raise UsageError(f"phantom spacings lie between 0.3 and 20 mm, got {spacings_mm} mm (in plane, slice)")
