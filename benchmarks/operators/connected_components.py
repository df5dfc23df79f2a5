"""connected_components and keep_largest on a CT-sized label volume: four organs and specks all over."""

import importlib.util
import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
from scipy import ndimage

from medsegan import ops, voxels

from ..timing import Case

SHAPE = (512, 512, 160)
ORGANS = ((-0.3, 0.0, 0.0, 0.45), (0.4, 0.1, 0.1, 0.25), (-0.2, 0.5, -0.2, 0.18), (0.3, 0.5, -0.2, 0.18))
SPECKS = 0.002


def organs_and_specks() -> np.ndarray:
    """Four balls (centre and radius as fractions of half the extent), one voxel in 500 replaced by any class."""
    rng = np.random.default_rng(0)
    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in SHAPE)]
    labels = np.zeros(SHAPE, np.uint8)
    for value, (*centre, radius) in enumerate(ORGANS, start=1):
        labels[sum(((axis - c) / radius) ** 2 for axis, c in zip(axes, centre, strict=True)) < 1] = value
    places = rng.integers(0, labels.size, int(SPECKS * labels.size))
    labels.reshape(-1)[places] = rng.integers(0, len(ORGANS) + 1, len(places))
    return labels


def scipy_label(labels: np.ndarray) -> None:
    for value in range(1, len(ORGANS) + 1):
        ndimage.label(labels == value, np.ones((3, 3, 3)))


def scipy_keep_largest(labels: np.ndarray) -> np.ndarray:
    kept = np.zeros_like(labels)
    for value in range(1, len(ORGANS) + 1):
        parts, _ = ndimage.label(labels == value, np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        kept[parts == sizes.argmax()] = value
    return kept


def others(labels: np.ndarray) -> dict[str, Callable[[], object]]:
    """Rivals that are installed; those that are not are named."""
    found: dict[str, Callable[[], object]] = {}
    for name in ("cc3d", "skimage", "SimpleITK"):
        if importlib.util.find_spec(name) is None:
            print(f"connected_components: {name} is not installed and left out", file=sys.stderr)
    if importlib.util.find_spec("cc3d"):
        import cc3d

        found["cc3d"] = lambda: cc3d.connected_components(labels, connectivity=26)
    if importlib.util.find_spec("skimage"):
        from skimage import measure

        found["scikit-image"] = lambda: measure.label(labels, connectivity=3)
    if importlib.util.find_spec("SimpleITK"):
        import SimpleITK

        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(torch.get_num_threads())
        masks = [SimpleITK.GetImageFromArray((labels == v).astype(np.uint8)) for v in range(1, len(ORGANS) + 1)]

        def parts_and_sizes() -> None:
            for mask in masks:
                SimpleITK.RelabelComponent(SimpleITK.ConnectedComponent(mask, True))

        found["SimpleITK"] = parts_and_sizes
    return found


def cases(device: str) -> Iterator[Case]:
    labels = organs_and_specks()
    size = "x".join(map(str, SHAPE))
    if device == "cuda":
        tensor = torch.from_numpy(labels).to(device)
        rival = {"ours on the CPU": lambda: voxels.connected_components(labels, 26)}
        yield Case(f"connected_components {size}", lambda: ops.connected_components(tensor, 26), rival)
        rival = {"ours on the CPU": lambda: voxels.keep_largest(labels, 26)}
        yield Case(f"keep_largest {size}", lambda: ops.keep_largest(tensor, 26), rival)
        return
    n = torch.get_num_threads()
    kept = {"scipy.ndimage, class by class": lambda: scipy_keep_largest(labels)}
    bars = {"scipy.ndimage, class by class": 5.0}
    name = f"connected_components {size}, 4 classes, 26 neighbours"
    rivals = {"scipy.ndimage, class by class": lambda: scipy_label(labels), **others(labels)}
    # One by one: what a rival leaves behind in the memory of the machine is paid by whoever comes next.
    for rival, work in rivals.items():
        yield Case(name, lambda: voxels.connected_components(labels, 26, threads=n), {rival: work}, bars, 3)
    fortran = np.asfortranarray(labels)
    first = {"ours in C order": lambda: voxels.connected_components(labels, 26, threads=n)}
    yield Case(f"{name}, Fortran order", lambda: voxels.connected_components(fortran, 26, threads=n), first, {}, 5)
    name = f"keep_largest {size}, 4 classes, 26 neighbours"
    yield Case(name, lambda: voxels.keep_largest(labels, 26, threads=n), kept, bars, 3)
