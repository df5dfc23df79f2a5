"""Dice, HD, HD95, ASSD and surface Dice at 2 mm of four organs in 512 x 512 x 160, against the usual packages."""

import importlib
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import torch

from medsegan.ops import surface_distances as torch_surface_distances
from medsegan.voxels.confusion import confusion
from medsegan.voxels.surface_distances import ClassDistances, surface_distances

from ..timing import Case

SHAPE = (512, 512, 160)
SPACING_MM = (0.8, 0.8, 2.5)
TOLERANCE_MM = 2.0
# centre and radii in voxels: a liver of 1.5 l, a spleen of 0.25 l and two kidneys of 0.17 l
ORGANS = (
    ((180, 230, 90), (105, 85, 25)),
    ((370, 310, 95), (35, 55, 20)),
    ((200, 360, 70), (35, 35, 21)),
    ((330, 365, 74), (35, 35, 21)),
)
LABELS = tuple(range(1, len(ORGANS) + 1))
ONE_ORGAN = "medpy, 1 of the 4 organs"  # it takes a quarter of a minute for each, whichever it is
BARS = {"surface-distance": 6.0, "monai, HD95 alone": 20.0, ONE_ORGAN: 200.0 / len(ORGANS)}


@cache
def scene() -> tuple[np.ndarray, np.ndarray]:
    """(prediction, reference): smoothly deformed ellipsoids, about 2 mm apart."""
    prediction, reference = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    for label, (centre, radii) in zip(LABELS, ORGANS, strict=True):
        box = tuple(slice(c - int(1.3 * r), c + int(1.3 * r)) for c, r in zip(centre, radii, strict=True))
        i, j, k = ((np.ogrid[box][a] - centre[a]) / radii[a] for a in range(3))
        radius = np.sqrt(i**2 + j**2 + k**2) + 0.08 * np.sin(4 * i + label) * np.cos(3 * j) + 0.05 * np.sin(5 * k)
        error = 0.03 + 0.05 * np.sin(6 * i + 1) * np.sin(5 * j + label) * np.cos(4 * k)
        reference[box][radius <= 1] = label
        prediction[box][radius + error <= 1] = label
    return prediction, reference


def percentile(distances: np.ndarray, areas: np.ndarray, part: float) -> float:
    """The smallest distance within which a part of the area lies."""
    order = np.argsort(distances)
    sums = np.cumsum(areas[order])
    return float(distances[order[min(np.searchsorted(sums, part * sums[-1]), len(order) - 1)]])


def numbers(found: ClassDistances) -> tuple[float, ...]:
    """HD, HD95, ASSD and surface Dice of one class."""
    to_reference, to_prediction = found.prediction_to_reference_mm, found.reference_to_prediction_mm
    hd = max(to_reference.max(), to_prediction.max())
    hd95 = max(np.percentile(to_reference, 95), np.percentile(to_prediction, 95))
    assd = (to_reference.sum() + to_prediction.sum()) / (to_reference.size + to_prediction.size)
    surfels = found.surfels
    assert surfels is not None
    near = surfels.prediction_mm2 @ (surfels.prediction_to_reference_mm <= TOLERANCE_MM)
    near += surfels.reference_mm2 @ (surfels.reference_to_prediction_mm <= TOLERANCE_MM)
    return hd, hd95, assd, near / (surfels.prediction_mm2.sum() + surfels.reference_mm2.sum())


def ours() -> list[tuple[float, ...]]:
    prediction, reference = scene()
    counts = confusion(prediction, reference, len(LABELS) + 1)
    dice = 2 * counts.diagonal() / (counts.sum(0) + counts.sum(1))
    found = surface_distances(prediction, reference, LABELS, SPACING_MM)
    return [(float(d), *numbers(one)) for d, one in zip(dice[1:], found, strict=True)]


def on_device(device: str) -> Callable[[], object]:
    prediction, reference = (torch.from_numpy(volume).to(device) for volume in scene())
    return lambda: torch_surface_distances(prediction, reference, LABELS, SPACING_MM)


def with_surface_distance(package: Any) -> object:
    prediction, reference = scene()
    results = []
    for label in LABELS:
        p, r = prediction == label, reference == label
        found = package.compute_surface_distances(r, p, SPACING_MM)
        results.append(
            (
                package.compute_dice_coefficient(r, p),
                package.compute_robust_hausdorff(found, 100),
                package.compute_robust_hausdorff(found, 95),
                package.compute_average_surface_distance(found),
                package.compute_surface_dice_at_tolerance(found, TOLERANCE_MM),
            )
        )
    return results


def with_monai(package: Any) -> object:
    prediction, reference = (torch.from_numpy(volume) for volume in scene())
    labels = torch.arange(len(LABELS) + 1).view(-1, 1, 1, 1)
    one_hot = ((volume == labels)[None] for volume in (prediction, reference))
    return package.compute_hausdorff_distance(*one_hot, percentile=95, spacing=list(SPACING_MM))


def with_medpy(package: Any) -> object:
    prediction, reference = (volume == LABELS[0] for volume in scene())
    by_distance = (package.hd, package.hd95, package.assd)
    return package.dc(prediction, reference), *(f(prediction, reference, SPACING_MM) for f in by_distance)


RIVALS = {
    "surface-distance": ("surface_distance", with_surface_distance),
    "monai, HD95 alone": ("monai.metrics", with_monai),
    ONE_ORGAN: ("medpy.metric.binary", with_medpy),
}


def installed() -> dict[str, Callable[[], object]]:
    """The rivals that are there; the others are named."""
    found: dict[str, Callable[[], object]] = {}
    for name, (module, work) in RIVALS.items():
        try:
            package = importlib.import_module(module)
        except ImportError:
            print(f"surface_distances: {name} is not installed and left out", file=sys.stderr)
            continue
        found[name] = lambda work=work, package=package: work(package)
    return found


def cases(device: str) -> Iterator[Case]:
    name = "Dice, HD, HD95, ASSD, surface Dice of 4 organs, 512x512x160"
    if device == "cuda":
        rival = {"medsegan on the CPU": on_device("cpu")}
        yield Case("surface_distances of 4 organs, 512x512x160", on_device("cuda"), rival)
        return
    rivals = installed()
    slow = {rival: work for rival, work in rivals.items() if rival == ONE_ORGAN}
    quick = {rival: work for rival, work in rivals.items() if rival not in slow}
    yield Case(name, ours, quick, BARS, 5)
    if slow:
        yield Case(name, ours, slow, BARS, 1)
