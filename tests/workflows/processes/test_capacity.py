"""How many workers a machine is taken for, by its processors, its quotas and its memory."""

from pathlib import Path

import pytest

from medsegan.workflows.datasets.discovery import FoundCase
from medsegan.workflows.preparation import workers
from medsegan.workflows.preparation.workers import choose_workers
from medsegan.workflows.processes import capacity


def write_files(root: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu_DOT_max": "150000 100000\n"}, 2),
        ({"cpu_DOT_max": "20000 100000\n"}, 1),
        ({"cpu_DOT_max": "max 100000\n"}, 6),
        ({"cpu_DOT_max": "9900000 100000\n"}, 6),
        ({"cpu__cpu_DOT_cfs_quota_us": "300000", "cpu__cpu_DOT_cfs_period_us": "100000"}, 3),
        ({"cpu__cpu_DOT_cfs_quota_us": "-1", "cpu__cpu_DOT_cfs_period_us": "100000"}, 6),
        ({}, 6),
    ],
)
def test_processors_are_those_of_the_container(
    files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)), raising=False)
    assert capacity.count_processors(write_files(tmp_path, **files)) == expected


def test_memory_is_the_least_of_what_machine_and_container_leave(tmp_path: Path) -> None:
    machine = tmp_path / "meminfo"
    machine.write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    assert capacity.available_memory(tmp_path, machine) == 5_120_000
    new = write_files(
        tmp_path / "2",
        memory_DOT_max="4000000",
        memory_DOT_current="3000000",
        memory_DOT_stat="inactive_file 500000",
    )
    assert capacity.available_memory(new, machine) == 1_500_000
    old = write_files(
        tmp_path / "1", memory__memory_DOT_limit_in_bytes="2000000", memory__memory_DOT_usage_in_bytes="1900000"
    )
    assert capacity.available_memory(old, machine) == 100_000
    (new / "memory.max").write_text("max")
    assert capacity.available_memory(new, machine) == 5_120_000
    assert capacity.available_memory(tmp_path / "none", tmp_path / "none") is None


def cases_of(folder: Path, n: int, megabytes: int, suffix: str = ".nii") -> list[FoundCase]:
    cases = []
    for number in range(n):
        path = folder / f"{number}{suffix}"
        with path.open("wb") as file:
            file.truncate(megabytes * 1_000_000)  # no room is taken on the disk
        cases.append(FoundCase(path, None, str(number), str(number)))
    return cases


def test_workers_go_by_processors_memory_and_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "count_processors", lambda: 8)
    monkeypatch.setattr(workers, "available_memory", lambda: 3_000_000_000)
    few = choose_workers(None, cases_of(tmp_path, 20, 100))
    assert (few.n_workers, few.n_threads) == (4, 2)  # 0.6 GB each of 2.4 GB
    assert few.notes == (
        "4 workers (8 processors; the largest case takes about 0.6 GB of 3.0 GB); --workers N changes that",
    )
    monkeypatch.setattr(workers, "available_memory", lambda: None)
    assert choose_workers(None, cases_of(tmp_path, 20, 100)).n_workers == 8
    assert choose_workers(None, cases_of(tmp_path, 3, 100)).n_workers == 3
    assert choose_workers(None, cases_of(tmp_path, 20, 1)).n_workers == 1  # over before a process has begun
    assert choose_workers(None, cases_of(tmp_path, 20, 1)).notes == ()
    monkeypatch.setattr(workers, "available_memory", lambda: 100)
    assert choose_workers(None, cases_of(tmp_path, 20, 100, ".nii.gz")).n_workers == 1


def test_a_number_that_is_asked_for_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "count_processors", lambda: 8)
    choice = choose_workers(3, cases_of(tmp_path, 20, 1))
    assert (choice.n_workers, choice.n_threads, choice.notes) == (3, 2, ())
    assert choose_workers(30, cases_of(tmp_path, 5, 1)).n_workers == 5
    assert choose_workers(30, []).n_workers == 1


def test_a_folder_is_as_large_as_all_files_below_it(tmp_path: Path) -> None:
    (tmp_path / "series" / "below").mkdir(parents=True)
    cases_of(tmp_path / "series", 2, 1)
    cases_of(tmp_path / "series" / "below", 1, 2)
    (tmp_path / "series" / "gone").symlink_to(tmp_path / "nowhere")
    assert workers._file_bytes(tmp_path / "series") == 4_000_000
