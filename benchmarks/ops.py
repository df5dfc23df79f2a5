"""Every operator against its rivals: `python -m benchmarks.ops [operator ...] [--device cuda]`.

Ends with code 1 if kernels are missing or a bar is missed. Rivals that are not installed are named and left out.
"""

import argparse
import importlib
import platform
import sys

import torch

from medsegan.ops import is_compiled, load_kernels, operators
from medsegan.voxels import library as voxels

from .timing import as_rows, copy_bandwidth, measure

OPERATORS = (
    "bias_act",
    "confusion",
    "connected_components",
    "distance_transform",
    "local_similarity",
    "modulate_noise_act",
    "resample2d",
    "resample3d",
    "surface_distances",
    "upfirdn2d",
)


def require_kernels(device: str) -> None:
    """Nothing, if the kernels to be timed are there: a slow path is never timed as ours."""
    state = {"voxels": voxels.load()[1], **load_kernels()}
    plain = [name for name in operators() if not is_compiled(name, device)]
    if plain:
        sys.exit(f"benchmarks.ops: {', '.join(plain)} would run plain on {device}: {state}")


def main() -> None:
    """Print the table of one device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operators", nargs="*", help=f"of {', '.join(OPERATORS)}; default all")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    chosen = parser.parse_args()
    require_kernels(chosen.device)
    processor = torch.cuda.get_device_name() if chosen.device == "cuda" else platform.machine()
    bandwidth = copy_bandwidth(chosen.device)
    threads = f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    print(f"{processor}, {threads}, copy {bandwidth / 1e9:.3g} GB/s read and written\n")
    print("| case | ours | rival | its time | ratio | bar |\n|---|---|---|---|---|---|")
    missed = False
    for name in chosen.operators or OPERATORS:
        for case in importlib.import_module(f"benchmarks.operators.{name}").cases(chosen.device):
            for row in as_rows(case, measure(case, chosen.device), bandwidth):
                print(row, flush=True)
                missed |= "MISSED" in row
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
