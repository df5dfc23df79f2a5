"""Headers are parsed once for two looks at a series, and again as soon as a file may be another one."""

import os
import time
from pathlib import Path

import pytest

from medsegan.imaging.dicom.recent import Recent


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files that were last written long ago."""
    found = [tmp_path / "a", tmp_path / "b"]
    for path in found:
        path.write_bytes(b"1")
        os.utime(path, (1, 1))
    return found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is an hour ahead, so that no change of a file is a recent one."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3600 * 10**9)


@pytest.mark.usefixtures("later")
def test_an_answer_is_worked_out_once(files: list[Path]) -> None:
    recent: Recent[list[int]] = Recent()
    answers = iter(([1], [2]))
    assert recent.recall("what", files, lambda: next(answers)) == [1]
    assert recent.recall("what", files, lambda: next(answers)) == [1]
    assert recent.recall("another", files, lambda: next(answers)) == [2]


@pytest.mark.usefixtures("later")
def test_other_files_are_another_answer(files: list[Path]) -> None:
    recent: Recent[int] = Recent()
    count = iter(range(9))
    assert recent.recall("what", files, lambda: next(count)) == 0
    assert recent.recall("what", files[:1], lambda: next(count)) == 1
    assert recent.recall("what", files, lambda: next(count)) == 2
    files[1].write_bytes(b"2")  # as many bytes as before
    os.utime(files[1], (1, 1))
    assert recent.recall("what", files, lambda: next(count)) == 3
    files[1].unlink()
    assert recent.recall("what", files, lambda: next(count)) == 4


def test_a_file_that_was_just_written_is_looked_at_again(files: list[Path]) -> None:
    recent: Recent[int] = Recent()
    count = iter(range(9))
    assert [recent.recall("what", files, lambda: next(count)) for _ in range(2)] == [0, 1]


@pytest.mark.usefixtures("later")
def test_an_error_is_not_kept(files: list[Path]) -> None:
    recent: Recent[float] = Recent()
    with pytest.raises(ZeroDivisionError):
        recent.recall("what", files, lambda: 1 / 0)
    assert recent.recall("what", files, lambda: 1.0) == 1.0
