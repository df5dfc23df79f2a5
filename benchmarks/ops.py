"""Every operator against its rivals: `python -m benchmarks.ops [operator ...] [--device cuda]`.

Ends with code 1 if kernels are missing or a bar is missed. Rivals that are not installed are named and left out.
"""

import argparse
import importlib
import platform
import sys

import torch

from medsegan.ops import load_kernels
from medsegan.voxels import library as voxels

from .timing import as_rows, measure

OPERATORS = ("bias_act", "local_similarity")


def require_kernels(device: str) -> None:
    """Nothing, if the kernels to be timed are there: a slow path is never timed as ours."""
    state = {"voxels": voxels.load()[1], **load_kernels()}
    missing = [name for name in ("voxels", "cpu", device) if not state[name].startswith("medsegan-cuda ")]
    missing += ["voxels"] if voxels.load()[0] is None else []
    if missing:
        sys.exit(
            "benchmarks.ops: no kernels to time: " + "; ".join(f"{n}: {state[n]}" for n in dict.fromkeys(missing))
        )


def main() -> None:
    """Print the table of one device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operators", nargs="*", help=f"of {', '.join(OPERATORS)}; default all")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    chosen = parser.parse_args()
    require_kernels(chosen.device)
    processor = (
        torch.cuda.get_device_name() if chosen.device == "cuda" else platform.processor() or platform.machine()
    )
    print(f"{processor}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
    print("| case | ours | rival | its time | ratio | bar |\n|---|---|---|---|---|---|")
    finish = torch.cuda.synchronize if chosen.device == "cuda" else lambda: None
    missed = False
    for name in chosen.operators or OPERATORS:
        for case in importlib.import_module(f"benchmarks.operators.{name}").cases(chosen.device):
            for row in as_rows(case, measure(case, finish)):
                print(row, flush=True)
                missed |= "MISSED" in row
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
