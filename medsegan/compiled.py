"""Where the compiled kernels lie, or why they are not used. Without them everything runs, more slowly."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

INTERFACE = 1
"""The schemas and C signatures that this version speaks; kernels built for another one are not loaded."""


@dataclass(frozen=True)
class Library:
    """A library of kernels, or the reason why there is none.

    Args:
        path: of the library; None = not to be used.
        why: where it comes from, or what is missing and what to do.
        cuda: release of the CUDA toolkit that was used, such as "13.0"; "" without one.
    """

    path: Path | None
    why: str
    cuda: str = ""


@cache
def find_library(name: str) -> Library:
    """The library called `name`: "voxels", "cpu" or "cuda". Never raises, loads nothing."""
    try:
        import medsegan_cuda
    except ImportError:
        return Library(None, "medsegan-cuda is not installed")
    try:
        return _inspect(name, medsegan_cuda, f"medsegan-cuda {medsegan_cuda.__version__}")
    except (OSError, ValueError, AttributeError) as error:
        return Library(None, f"medsegan-cuda cannot be read: {error}; install it anew, or run `make kernels`")


def _inspect(name: str, package: Any, release: str) -> Library:
    record = package.read_record()
    if record is None:
        return Library(None, f"{release} is installed but was not built; run `make kernels`")
    if record.interface != INTERFACE:
        needs = f"speaks interface {record.interface}, this medsegan {INTERFACE}"
        return Library(None, f"{release} {needs}; install the version that belongs to this medsegan")
    if record.is_stale:
        return Library(None, f"{release} is stale: its sources changed since it was built; run `make kernels`")
    path = package.library_path(name)
    if not path.is_file():
        absent = record.why_no_cuda if name == "cuda" else ""
        reason = absent or f"{path} is missing; install it anew, or run `make kernels`"
        return Library(None, f"{release} has no {name} library: {reason}")
    return Library(path, release, record.cuda)
