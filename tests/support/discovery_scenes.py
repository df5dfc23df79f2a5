"""Data sets of empty files: discovery goes by names, and reads no voxel."""

from pathlib import Path

from medsegan.workflows.datasets.discover import Discovery


def touch(folder: Path, *names: str) -> Path:
    """The folder with empty files of these names in it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def pairs(found: Discovery) -> dict[str, str | None]:
    """Case -> name of its label file; None without one."""
    return {case.stem: None if case.label is None else case.label.name for case in found.cases}
