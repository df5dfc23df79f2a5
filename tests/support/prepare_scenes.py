"""Sets of small scans, and their preparation."""

from collections.abc import Callable
from pathlib import Path

from medsegan.workflows.prepare import PrepareOptions, PrepareResult, prepare

WriteCase = Callable[..., None]
SIZE = 32


def write_set(write_case: WriteCase, folder: Path, n: int, n_labeled: int | None = None, **what: object) -> Path:
    """Cases mueller_0, ... in images/ and labels/; the first `n_labeled` have labels."""
    for number in range(n):
        name = f"mueller_{number}.nii.gz"
        is_labeled = n_labeled is None or number < n_labeled
        label = folder / "labels" / name if is_labeled else None
        write_case(folder / "images" / name, label, seed=number, **what)
    return folder


def run(root: Path, *paths: Path, **options: object) -> PrepareResult:
    return prepare(root, PrepareOptions(paths, **{"size": SIZE, **options}))  # type: ignore[arg-type]


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
