"""One contestant in a process of its own: `python -m benchmarks.preparing.side NAME SOURCE TARGET SIZE`.

Prints one line of JSON: seconds on the clock and of the processor, without imports; memory at its peak and before.
Everybody gets one thread.
"""

import importlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MODULES = {
    "medsegan": ("medsegan.workflows.prepare", "PIL.ImageDraw"),
    "SimpleITK": ("SimpleITK", "numpy"),
    "dcm2niix": ("dcm2niix", "nibabel", "scipy.ndimage"),
    "MONAI": ("monai.transforms", "pydicom", "nibabel"),
}
"""What is imported before the clock starts."""


def medsegan(source: Path, target: Path, size: int) -> None:
    """`medsegan prepare SOURCE`: a slice store with its manifest, splits and contact sheet."""
    from medsegan.workflows.prepare import PrepareOptions, prepare

    prepare(target, PrepareOptions(paths=(source,), size=size))


def simpleitk(source: Path, target: Path, size: int) -> None:
    """ImageSeriesReader (ReadImage for a file), Resample, save."""
    import numpy as np
    import SimpleITK as sitk  # noqa: N813

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    if source.is_dir():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(source)))
        image = reader.Execute()
    else:
        image = sitk.ReadImage(str(source))
    steps = [n / size for n in image.GetSize()[:2]]
    spacing = [mm * step for mm, step in zip(image.GetSpacing(), (*steps, 1.0), strict=True)]
    first = image.TransformContinuousIndexToPhysicalPoint([(step - 1) / 2 for step in steps] + [0.0])
    slices = sitk.Resample(
        image,
        (size, size, image.GetSize()[2]),
        sitk.Transform(),
        sitk.sitkLinear,
        first,
        spacing,
        image.GetDirection(),
        -1024.0,
        sitk.sitkInt16,
    )
    np.save(target / "images.npy", sitk.GetArrayViewFromImage(slices))


def dcm2niix(source: Path, target: Path, size: int) -> None:
    """The converter's own process (for a series), nibabel without a copy in double, zoom, save."""
    import nibabel
    import numpy as np
    from scipy import ndimage

    if source.is_dir():
        from dcm2niix import bin as converter

        command = [converter, "-z", "n", "-b", "n", "-f", "scan", "-o", str(target), str(source)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        source = target / "scan.nii"
    volume = np.asanyarray(nibabel.load(source).dataobj)
    factors = (size / volume.shape[0], size / volume.shape[1], 1.0)
    slices = ndimage.zoom(volume, factors, order=1, grid_mode=True, mode="nearest")
    np.save(target / "images.npy", np.ascontiguousarray(slices.T).astype(np.int16))


def monai(source: Path, target: Path, size: int) -> None:
    """LoadImage (PydicomReader or NibabelReader), EnsureChannelFirst, Spacing, Resize, save."""
    import numpy as np
    import torch
    from monai.transforms import Compose, EnsureChannelFirst, LoadImage, Resize, Spacing

    torch.set_num_threads(1)
    load = Compose(
        [LoadImage(reader="PydicomReader" if source.is_dir() else "NibabelReader"), EnsureChannelFirst()]
    )
    image = load(str(source))
    pixel_mm = [float(mm) * image.shape[1] / size for mm in image.pixdim[:2]]
    image = Spacing((*pixel_mm, float(image.pixdim[2])), mode="bilinear")(image)
    image = Resize((size, size, -1), mode="trilinear")(image)
    np.save(target / "images.npy", image[0].numpy().T.round().astype(np.int16))


SIDES: dict[str, Callable[[Path, Path, int], None]] = {
    "medsegan": medsegan,
    "SimpleITK": simpleitk,
    "dcm2niix": dcm2niix,
    "MONAI": monai,
}


def processor_seconds() -> float:
    """User and system time of this process and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """The most memory that this process ever held, 10^6 bytes; unlike ru_maxrss not what its parent held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def main(name: str, source: str, target: str, size: str) -> dict[str, Any]:
    """The figures of one run."""
    for module in MODULES[name]:
        importlib.import_module(module)
    if name == "medsegan":
        from medsegan.voxels import library

        library.load()
    base = peak_mb()
    used, began = processor_seconds(), time.perf_counter()
    SIDES[name](Path(source), Path(target), int(size))
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "processor_seconds": processor_seconds() - used,
        "base_mb": base,
        "peak_mb": peak_mb(),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
