"""distance_transform on a CT-sized mask, against scipy.ndimage and the package `edt`."""

import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
from scipy import ndimage

from medsegan import ops, voxels

from ..timing import Case

SHAPE = (512, 512, 160)
SPACING_MM = (0.8, 0.8, 2.5)
ISOTROPIC_MM = (0.8, 0.8, 0.8)
BARS = {"scipy.ndimage": 8.0, "edt": 2.0}


def organ() -> np.ndarray:
    """An ellipsoid of about the size of a liver, 9% of the volume."""
    i, j, k = np.ogrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    return ((i + 0.2) / 0.5) ** 2 + ((j - 0.1) / 0.4) ** 2 + (k / 0.8) ** 2 < 1


def points() -> np.ndarray:
    """Everything but 4,000 scattered voxels."""
    mask = np.ones(SHAPE, bool)
    mask.flat[np.random.default_rng(0).integers(mask.size, size=4000)] = False
    return mask


def noise() -> np.ndarray:
    return np.random.default_rng(0).random(SHAPE) < 0.5


def rivals(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> dict[str, Callable[[], object]]:
    threads = torch.get_num_threads()
    found: dict[str, Callable[[], object]] = {
        "scipy.ndimage": lambda: ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    }
    try:
        import edt
    except ImportError:
        print("distance_transform: the rival edt is not installed and left out", file=sys.stderr)
    else:
        found["edt"] = lambda: edt.edt(mask, anisotropy=spacing_mm, black_border=False, parallel=threads)
    return found


def cases(device: str) -> Iterator[Case]:
    masks = {"organ": organ(), "outside of the organ": ~organ(), "all but points": points(), "noise": noise()}
    for name, mask in masks.items():
        for spacing_mm in (SPACING_MM, ISOTROPIC_MM):
            title = f"distance_transform {list(SHAPE)} {name}, {' x '.join(map(str, spacing_mm))} mm"

            def plain_numpy(mask=mask, spacing_mm=spacing_mm) -> object:
                return voxels.distance_transform(mask, spacing_mm, threads=torch.get_num_threads())

            if device == "cpu":
                others = rivals(mask, spacing_mm)
                if spacing_mm != SPACING_MM or "organ" not in name:  # scipy takes as long for all of them
                    del others["scipy.ndimage"]
                yield Case(title, plain_numpy, others, BARS, repeats=3)
            else:
                on_device = torch.from_numpy(mask).to(device)
                yield Case(
                    title,
                    lambda mask=on_device, spacing_mm=spacing_mm: ops.distance_transform(mask, spacing_mm),
                    {"the CPU kernel": plain_numpy},
                )
