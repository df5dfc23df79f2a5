"""Copies of the distribution of kernels in a folder of its own, in the states in which users meet it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from source_tree import ROOT

EXTENSION = ROOT / "cuda_ext"

PROGRAM = """
import json, torch, medsegan_cuda
from medsegan.ops import bias_act, has_kernel, load_kernels
from medsegan.voxels import library
y = bias_act(torch.tensor([[1.0, -1.0]]), torch.zeros(2), gain=1.0)
found, why = library.load()
compiled = {"compiled": has_kernel("bias_act", "cpu"), "has_voxels": found is not None}
state = {"voxels": why, **load_kernels(), **compiled}
print(json.dumps({"from": medsegan_cuda.__file__, "result": y.tolist(), **state}))
"""


def copy_extension(folder: Path) -> Path:
    """The package with its libraries and its sources, as in a checkout; returns the folder to put on the path."""
    target = folder / "checkout"
    shutil.copytree(
        EXTENSION / "medsegan_cuda", target / "medsegan_cuda", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(EXTENSION / "csrc", target / "csrc")
    shutil.copy(EXTENSION / "build_kernels.py", target)
    return target


def observe(path: Path) -> dict[str, Any]:
    """What a fresh interpreter with `path` in front says of the kernels, and what an operator gives there."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(path)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "whatever the state of the kernels, nobody is shouted at"
    state: dict[str, Any] = json.loads(done.stdout)
    assert Path(state["from"]).is_relative_to(path)
    return state
