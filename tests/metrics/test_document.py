"""Files are whole or not there."""

import pytest

from medsegan.errors import InputError
from medsegan.metrics.document import write_document


def test_makes_folders_and_replaces_files(tmp_path):
    path = tmp_path / "a" / "b" / "summary.json"
    write_document("old and longer", path)
    write_document("new\n", path)
    assert path.read_bytes() == b"new\n"
    assert [file.name for file in path.parent.iterdir()] == ["summary.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "summary.json"
    write_document("old", path)

    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("medsegan.atomic.os.replace", fail)
    with pytest.raises(InputError, match="No space left"):
        write_document("new", path)
    assert path.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "reports").write_text("not a folder", encoding="utf-8")
    with pytest.raises(InputError, match=r"summary\.json"):
        write_document("text", tmp_path / "reports" / "summary.json")
