"""Findings on voxels and sizes: what differs from the rest of the set, or is no size of a patient."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from ...geometry import Grid
from ...shapes import FloatArray
from ..acquired_plane import acquired_plane
from .facts import CaseFacts
from .finding import Finding

_FEWEST_TO_COMPARE = 4
_FARTHEST_SPACING = 4.0
_FARTHEST_EXTENT = 3.0
_ACROSS_DEGREES = 50.0
_SMALLEST_SPACING_MM, _LARGEST_SPACING_MM = 0.02, 20.0
_SMALLEST_EXTENT_MM, _LARGEST_EXTENT_MM = 5.0, 2500.0


def check_geometry(cases: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Findings on the grids of the scans; pictures have none."""
    placed = [facts for facts in cases if facts.scan is not None and not facts.scan.is_picture]
    volumes = [facts for facts in placed if min(_grid(facts).shape) > 1]
    yield from _impossible_sizes(placed)
    yield from _single_slices(placed, volumes)
    yield from _outliers(volumes)
    yield from _lost_spacing(volumes)
    yield from _mixed_planes(volumes)


def _grid(facts: CaseFacts) -> Grid:
    assert facts.scan is not None
    return facts.scan.grid


def _impossible_sizes(placed: Sequence[CaseFacts]) -> Iterator[Finding]:
    for facts in placed:
        grid = _grid(facts)
        spacing = np.array(grid.spacing_mm)
        extent = spacing * grid.shape
        is_volume = min(grid.shape) > 1
        if (
            spacing.min() < _SMALLEST_SPACING_MM
            or (is_volume and spacing.max() > _LARGEST_SPACING_MM)
            or extent.max() < _SMALLEST_EXTENT_MM
            or extent.max() > _LARGEST_EXTENT_MM
        ):
            measured = f"voxels of {_in_mm(spacing)}, {_in_mm(extent)} in all"
            yield Finding(
                "warning",
                facts.name,
                "no size of a patient",
                measured,
                "correct the voxel size in the header; is it in other units than mm?",
            )


def _single_slices(placed: Sequence[CaseFacts], volumes: Sequence[CaseFacts]) -> Iterator[Finding]:
    if len(volumes) * 2 <= len(placed):
        return
    for facts in placed:
        if min(_grid(facts).shape) == 1:
            shape = " x ".join(str(n) for n in _grid(facts).shape)
            yield Finding(
                "warning",
                facts.name,
                "a single slice among volumes",
                f"{shape} voxels",
                "is it a localiser? leave it out",
            )


def _outliers(volumes: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Voxels and sizes far from the median of the set, in the order from fine to coarse."""
    if len(volumes) < _FEWEST_TO_COMPARE:
        return
    spacings = np.array([sorted(_grid(facts).spacing_mm) for facts in volumes])
    extents = np.array([sorted(np.multiply(_grid(facts).spacing_mm, _grid(facts).shape)) for facts in volumes])
    for values, farthest, what in (
        (spacings, _FARTHEST_SPACING, "voxel size far from the others"),
        (extents, _FARTHEST_EXTENT, "size far from the others"),
    ):
        median = np.median(values, axis=0)
        for facts, own in zip(volumes, values, strict=True):
            if np.maximum(own / median, median / own).max() > farthest:
                measured = f"{_in_mm(own)}, in the middle of the set {_in_mm(median)}"
                remedy = "check the header; is it another kind of scan?"
                yield Finding("warning", facts.name, what, measured, remedy)


def _lost_spacing(volumes: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Voxels of exactly 1 mm where most others have some other size: a header that was lost."""
    lost = [facts for facts in volumes if np.allclose(_grid(facts).spacing_mm, 1.0, atol=1e-6)]
    if not lost or len(volumes) < _FEWEST_TO_COMPARE or len(lost) * 4 > len(volumes):
        return
    others = np.median([sorted(_grid(facts).spacing_mm) for facts in volumes if facts not in lost], axis=0)
    if np.allclose(others, 1.0, atol=0.2):
        return
    for facts in lost:
        measured = f"voxels of exactly 1 x 1 x 1 mm, the others about {_in_mm(others)}"
        remedy = "the voxel size was probably lost; convert the scan again"
        yield Finding("warning", facts.name, "voxel size of 1 mm", measured, remedy)


def _mixed_planes(volumes: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Slices that stand across those of most others; oblique ones between two planes do not count."""
    planes = {
        facts.name: (plane, facts) for facts in volumes if (plane := acquired_plane(_grid(facts))) is not None
    }
    counts = Counter(plane for plane, _ in planes.values())
    if len(counts) < 2:
        return
    usual, n_usual = counts.most_common(1)[0]
    normals = [_normal(_grid(facts)) for plane, facts in planes.values() if plane == usual]
    # Either sign of a normal is the same plane: the mean direction is that of the largest spread.
    mean = np.linalg.eigh(np.sum([np.outer(normal, normal) for normal in normals], axis=0))[1][:, -1]
    for name, (plane, facts) in planes.items():
        degrees = float(np.degrees(np.arccos(min(1.0, abs(float(_normal(_grid(facts)) @ mean))))))
        if degrees > _ACROSS_DEGREES:
            measured = f"{plane}, {degrees:.0f} degrees across {n_usual} {usual} others"
            remedy = "prepare each plane as a domain of its own"
            yield Finding("warning", name, "acquired in another plane", measured, remedy)


def _normal(grid: Grid) -> FloatArray:
    """The direction across the slices: the other two axes span them."""
    longest = int(np.argmax(grid.spacing_mm))
    first, second = (grid.world_from_voxel[:3, axis] for axis in range(3) if axis != longest)
    normal = np.cross(first, second)
    return np.asarray(normal / np.linalg.norm(normal))


def _in_mm(lengths: FloatArray) -> str:
    return " x ".join(f"{length:.3g}" for length in lengths) + " mm"
