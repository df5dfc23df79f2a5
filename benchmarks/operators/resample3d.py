"""resample3d on a scan of 512 x 512 x 300, against scipy and SimpleITK, and the memory that it takes beside it."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from scipy.spatial.transform import Rotation

from medsegan.ops import resample3d
from medsegan.voxels import resample3d as resample_array

from ..timing import Case, Work

SHAPE = (300, 512, 512)
ROUTES = ("rescaled", "tilted")
SPLINES = {"linear": 1, "cubic": 3}
SPARE_MIB = 64


def affine(route: str) -> np.ndarray:
    """Onto as many voxels: axis by axis, or turned by some degrees as well."""
    linear = np.diag([1.04, 0.95, 0.97])
    if route == "tilted":
        linear = Rotation.from_euler("xyz", (3.0, -4.0, 6.0), degrees=True).as_matrix() @ linear
    middle = (np.array(SHAPE) - 1) / 2
    return np.c_[linear, middle - linear @ middle]


def scan() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 300, SHAPE).astype(np.float32)


def with_simpleitk(volume: np.ndarray, matrix: np.ndarray, order: str) -> dict[str, Work]:
    """The same in SimpleITK, whose axes run the other way, as a rival by name; none where it is not installed."""
    if importlib.util.find_spec("SimpleITK") is None:
        print("resample3d: SimpleITK is not installed and left out", file=sys.stderr)
        return {}
    import SimpleITK

    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix(matrix[::-1, 2::-1].ravel().tolist())
    transform.SetTranslation(matrix[::-1, 3].tolist())
    resampler = SimpleITK.ResampleImageFilter()
    resampler.SetSize(SHAPE[::-1])
    resampler.SetTransform(transform)
    resampler.SetInterpolator({"linear": SimpleITK.sitkLinear, "cubic": SimpleITK.sitkBSpline}[order])
    resampler.SetNumberOfThreads(torch.get_num_threads())
    image = SimpleITK.GetImageFromArray(volume)
    return {"SimpleITK": lambda: resampler.Execute(image)}


def spare_mib(route: str, order: str) -> float:
    """Peak memory of a process of its own beyond volume and result, in MiB."""
    command = [sys.executable, "-m", __name__, route, order, str(torch.get_num_threads())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def cases(device: str) -> Iterator[Case]:
    volume = scan()
    on_device = torch.from_numpy(volume).to(device)
    for order, spline in SPLINES.items():
        for route in ROUTES:
            matrix = affine(route)
            note = ""
            if device == "cpu":
                spare = spare_mib(route, order)
                note = f"{spare:.0f} MiB beside volume and result, {'met' if spare <= SPARE_MIB else 'MISSED'}"

            def scipy_way(matrix=matrix, spline=spline) -> object:
                return ndimage.affine_transform(volume, matrix[:, :3], matrix[:, 3], order=spline, mode="constant")

            yield Case(
                f"resample3d {order}, {route}, 512x512x300 float32",
                lambda m=matrix, o=order: resample3d(on_device, m.tolist(), SHAPE, o, 0.0),
                {"scipy": scipy_way, **with_simpleitk(volume, matrix, order)},
                {"scipy": 3.0, "SimpleITK": 1.5},
                1 if order == "cubic" else 3,
                note=note,
            )


def peak_kib() -> int:
    """Peak memory of this process; `ru_maxrss` would be inherited from the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def report_memory(route: str, order: str, threads: int) -> None:
    """Print the peak of this process beyond volume and result, in MiB."""
    volume = np.zeros(SHAPE, dtype=np.float32)
    volume += 1
    resample_array(volume[:8, :8, :8], affine(route), (8, 8, 8), order, threads=threads)
    before = peak_kib()
    result = resample_array(volume, affine(route), SHAPE, order, threads=threads)
    print((peak_kib() - before) / 1024 - result.nbytes / 2**20)


if __name__ == "__main__":
    report_memory(sys.argv[1], sys.argv[2], int(sys.argv[3]))
