"""A file is whole or not there."""

from pathlib import Path

import pytest

from medsegan.atomic import atomic_file


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "mask.NII.GZ"
    path.write_text("old")
    with atomic_file(path, ".nii.gz") as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.name.startswith(".mask.partial-")
        assert partial.name.endswith(".nii.gz")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def write_half() -> None:
        with atomic_file(path) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
