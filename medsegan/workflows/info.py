"""`info`: what is installed, where it would compute, and what the workspace holds."""

import platform
from importlib import metadata
from typing import Any

import torch

from .. import __version__
from ..ops import is_compiled, load_kernels, operators
from ..slices import SPLITS, SliceStore
from ..training.run_folder import RunFolder
from ..voxels import library as voxels
from .device import choose_device
from .workspace import Workspace

PACKAGES = ("torch", "numpy", "scipy", "monai", "nibabel", "pydicom", "SimpleITK", "safetensors")


def collect_info(workspace: Workspace | None) -> dict[str, Any]:
    """Versions, devices, operators and a summary of the workspace, as plain values.

    Args:
        workspace: None = there is none here.
    """
    device, reason = choose_device("auto")
    return {
        "medsegan": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in PACKAGES},
        "device": {"auto": str(device), "why": reason, "cpu_threads": torch.get_num_threads(), "cuda": _cuda()},
        "kernels": _kernels(),
        "workspace": None if workspace is None else _summary(workspace),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _cuda() -> list[str]:
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _kernels() -> dict[str, Any]:
    """Where each library of kernels comes from or why it is not there, and what each operator uses."""
    libraries = {"voxels": voxels.load()[1], **load_kernels()}
    return {"libraries": libraries, **{name: _implementation(name) for name in operators()}}


def _implementation(name: str) -> str:
    """What an operator takes on either device, as in "cpu compiled, cuda plain"."""
    return ", ".join(f"{d} {'compiled' if is_compiled(name, d) else 'plain'}" for d in ("cpu", "cuda"))


def _domain(workspace: Workspace, name: str) -> str:
    """A line about a domain: how many cases, and with labels, in each split."""
    if not workspace.store_path(name).is_dir():
        return "not prepared"
    store = SliceStore.open(workspace.store_path(name))
    counts = [
        f"{len(store.cases(s))} {s} ({len(store.cases(s, True))} labelled)" for s in SPLITS if store.cases(s)
    ]
    return f"{store.manifest.modality}, {store.manifest.size} px: {', '.join(counts)}"


def _summary(workspace: Workspace) -> dict[str, Any]:
    runs = {}
    if workspace.runs.is_dir():
        for path in sorted(workspace.runs.iterdir()):
            run = RunFolder(path)
            if run.is_started:
                runs[path.name] = "finished" if run.is_finished else "not finished"
    domains = {name: _domain(workspace, name) for name in workspace.domains}
    return {"root": str(workspace.root), "labels": dict(workspace.labels), "domains": domains, "runs": runs}
