"""What lies below a folder is listed, or it is said that it cannot be."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medsegan.errors import InputError
from medsegan.workflows.datasets import listing


def test_a_folder_that_cannot_be_looked_into_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk(folder: Path, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        yield str(folder), ["closed"], []
        onerror(PermissionError(13, "Permission denied", f"{folder}/closed"))

    monkeypatch.setattr(os, "walk", walk)  # who runs tests as root may look into everything
    with pytest.raises(InputError, match="closed: this folder cannot be looked into"):
        listing.list_entries(tmp_path)
