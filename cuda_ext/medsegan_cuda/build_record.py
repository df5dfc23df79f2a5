"""What was built, from what, and with what: `build.json` beside the libraries."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

INTERFACE = 1
"""Counts the changes of schemas and C signatures; `medsegan.compiled` asks for one value of it."""

LIBRARIES = ("voxels", "cpu", "cuda")

FOLDER = Path(__file__).resolve().parent
SOURCES = FOLDER.parent / "csrc"
_BUILDER = FOLDER.parent / "build_kernels.py"
"""Both lie beside the package in a checkout, and not where a wheel was installed."""


@dataclass(frozen=True)
class BuildRecord:
    """One build.

    Args:
        interface: value of `INTERFACE` then.
        sources: hash of the sources then, see `hash_sources`.
        torch: version whose headers were used.
        compiler: first line of what the C++ compiler says of itself.
        cuda: release of nvcc; "" = there is no CUDA library.
        why_no_cuda: the reason, or "".
        archs: CUDA architectures, such as ("80", "90", "100").
    """

    interface: int
    sources: str
    torch: str
    compiler: str
    cuda: str
    why_no_cuda: str
    archs: tuple[str, ...]

    @property
    def is_stale(self) -> bool:
        """Whether the sources lie beside the package and have changed since the build."""
        return _BUILDER.is_file() and SOURCES.is_dir() and hash_sources() != self.sources

    def write(self, folder: Path) -> None:
        """`build.json` in a folder."""
        (folder / "build.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


def library_path(name: str, folder: Path = FOLDER) -> Path:
    """Where the library called `name` is, or would be."""
    return folder / f"libmedsegan_{name}.so"


def read_record(folder: Path = FOLDER) -> BuildRecord | None:
    """The record of the build; None if nothing was built.

    Raises:
        ValueError: the file is there and is not a record.
    """
    path = folder / "build.json"
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return BuildRecord(**{**values, "archs": tuple(values["archs"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"{path} is not a record of a build: {error}") from error


def hash_sources() -> str:
    """SHA-256 over names and contents of all sources, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    suffixes = (".h", ".cpp", ".cu", ".cuh")
    for path in sorted(p for p in SOURCES.rglob("[!.]*") if p.suffix in suffixes and p.is_file()):
        digest.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
