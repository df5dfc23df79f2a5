"""Where the compiled kernels lie, or why they are not used. Without them everything runs, more slowly."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

INTERFACE = 1
"""The schemas and C signatures that this version speaks; kernels built for another one are not loaded."""


@dataclass(frozen=True)
class Library:
    """A library of kernels, or the reason why there is none.

    Args:
        path: of the library; None = not to be used.
        why: where it comes from, or what is missing and what to do.
    """

    path: Path | None
    why: str


@cache
def find_library(name: str) -> Library:
    """The library called `name`: "voxels", "cpu" or "cuda". Never raises, loads nothing."""
    try:
        import medsegan_cuda
    except ImportError:
        return Library(None, "medsegan-cuda is not installed")
    try:
        record = medsegan_cuda.read_record()
    except (OSError, ValueError) as error:
        return Library(None, str(error))
    path = medsegan_cuda.library_path(name)
    if record is None:
        return Library(None, f"medsegan-cuda {medsegan_cuda.__version__} is installed, but was not built")
    if record.interface != INTERFACE:
        needs = f"interface {record.interface}, this medsegan needs {INTERFACE}"
        return Library(
            None, f"medsegan-cuda {medsegan_cuda.__version__} has {needs}; install the matching version"
        )
    if record.is_stale:
        return Library(None, "stale: the sources of medsegan-cuda changed since it was built; build it again")
    if not path.is_file():
        absent = record.cuda if name == "cuda" and not record.archs else f"{path.name} is missing"
        return Library(None, f"medsegan-cuda {medsegan_cuda.__version__} has no such library: {absent}")
    return Library(path, f"medsegan-cuda {medsegan_cuda.__version__}")
