"""From a CT on disk to slices, ours against its rivals: `python -m benchmarks.prepare [--rounds 5] [--size 128]`.

A generated CT of 512x512x150 voxels, as a DICOM series and in other forms. Every contestant runs in a process of
its own, in turns, with one thread and its imports done; the medians of one run are compared. The files are in the
system's cache. Ends with code 1 if a bar is missed; bars are for the plain series, other forms are only shown.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .preparing.scan import make_volume, write_dicom, write_nifti
from .preparing.side import SIDES

BAR = 2.0
MEMORY_BAR = 1.5
"""In volumes of float32."""
FORMS = {"dicom": "series/ct", "nifti": "nifti/ct.nii.gz", "jpeg2000": "jpeg2000/ct"}
Figures = dict[str, float]


def write_scan(root: Path, shape: tuple[int, int, int], forms: list[str]) -> None:
    """Write one volume in all forms."""
    volume = make_volume(shape)
    if "dicom" in forms:
        write_dicom(volume, root / FORMS["dicom"])
    if "nifti" in forms:
        write_nifti(volume, root / FORMS["nifti"])
    if "jpeg2000" in forms:
        write_dicom(volume, root / FORMS["jpeg2000"], compressed=True)


def run_side(name: str, source: Path, size: int, n_slices: int) -> Figures:
    """The figures of one contestant in a fresh process, and a look at what it wrote."""
    with tempfile.TemporaryDirectory(prefix="medsegan-side-") as target:
        command = [sys.executable, "-m", "benchmarks.preparing.side", name, str(source), target, str(size)]
        done = subprocess.run(
            command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, check=True
        )
        slices = np.load(next(Path(target).rglob("images/*.npy" if name == "medsegan" else "images.npy")))
    if slices.shape != (n_slices, size, size) or slices.dtype != np.int16:
        sys.exit(f"benchmarks.prepare: {name} wrote {slices.dtype} of {slices.shape}")
    middle = slices[n_slices // 4, size // 2 - size // 16 : size // 2 + size // 16]
    if not 0 < middle[:, size // 2 - size // 16 : size // 2 + size // 16].mean() < 100:
        sys.exit(f"benchmarks.prepare: {name} did not write Hounsfield units of soft tissue")
    figures: Figures = json.loads(done.stdout.decode().splitlines()[-1])
    return figures


def compare(source: Path, size: int, n_slices: int, rounds: int) -> dict[str, Figures]:
    """The medians of all contestants; who begins changes from round to round, after one that does not count."""
    names = list(SIDES)
    found: dict[str, list[Figures]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            figures = run_side(name, source, size, n_slices)
            if number:
                found[name].append(figures)
    return {
        name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in found.items()
    }


def rows(form: str, medians: dict[str, Figures], volume_mb: float) -> list[str]:
    """The table of one form, and whether the bars are met."""
    lines, ours = [], medians["medsegan"]
    for name, figures in medians.items():
        ratios = [figures[key] / ours[key] for key in ("seconds", "processor_seconds")]
        above = figures["peak_mb"] - figures["base_mb"]
        lines.append(
            f"| {form} | {name} | {figures['seconds']:.3f} s | {figures['processor_seconds']:.3f} s | "
            f"{ratios[0]:.2f}x | {ratios[1]:.2f}x | {figures['peak_mb']:.0f} MB | {above:.0f} MB |"
        )
    rivals = [figures for name, figures in medians.items() if name != "medsegan"]
    for key, label in (("seconds", "clock"), ("processor_seconds", "processor")):
        ratio = min(figures[key] for figures in rivals) / ours[key]
        verdict = f", bar {BAR:g}x {'met' if ratio >= BAR else 'MISSED'}" if form == "dicom" else ""
        lines.append(f"{form}, {label}: {ratio:.2f}x the fastest rival{verdict}")
    volumes = (ours["peak_mb"] - ours["base_mb"]) / volume_mb
    verdict = "met" if volumes <= MEMORY_BAR else "MISSED"
    whole = ours["peak_mb"] / volume_mb
    lines.append(
        f"{form}, memory: {volumes:.2f} volumes of float32 above the imports ({whole:.2f} with them), "
        f"bar {MEMORY_BAR:g} {verdict}"
    )
    return lines


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=128, help="pixels of a slice")
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 150), help="columns, rows, slices")
    parser.add_argument("--forms", nargs="*", default=list(FORMS), choices=list(FORMS))
    parser.add_argument("--scan", type=Path, help="where to keep the generated scan for another run")
    chosen = parser.parse_args()
    root = chosen.scan or Path(tempfile.mkdtemp(prefix="medsegan-scan-"))
    shape = tuple(chosen.shape)
    write_scan(root, shape, [form for form in chosen.forms if not (root / FORMS[form]).exists()])
    missed = False
    print(f"load of the machine {os.getloadavg()[0]:.2f}, {chosen.rounds} rounds")
    for form in chosen.forms:
        medians = compare(root / FORMS[form], chosen.size, shape[2], chosen.rounds)
        lines = rows(form, medians, 4 * np.prod(shape) / 1e6)
        missed |= any("MISSED" in line for line in lines)
        print("\n".join(lines), flush=True)
    if chosen.scan is None:
        shutil.rmtree(root)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
