"""Processes side by side: their answers, their deaths, and their end with whoever started them."""

import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import crew_scenes
import pytest

from medsegan.errors import DataError, MedseganError
from medsegan.workflows.processes.crew import CaseLostError, Crew, describe_failure

NUMBERS = [{"number": number} for number in range(8)]
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for processes")


def test_all_are_done_by_other_processes_whatever_they_print() -> None:
    with Crew(2) as crew:
        answers = dict(crew.run(crew_scenes.double, NUMBERS))
        again = dict(crew.run(crew_scenes.double, NUMBERS[:3]))
    assert [answers[number]["double"] for number in range(8)] == [2 * number for number in range(8)]
    processes = {answer["process"] for answer in answers.values()}
    assert 1 <= len(processes) <= 2
    assert {answer["process"] for answer in again.values()} <= processes  # they stay from one run to the next


def test_one_worker_is_this_process(capfd: pytest.CaptureFixture[str]) -> None:
    with Crew(1) as crew:
        assert [number for number, _ in crew.run(crew_scenes.double, NUMBERS)] == list(range(8))
    assert "hello" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("work", "reason"), [(crew_scenes.die_at_three, "memory ran out"), (crew_scenes.crash_at_three, "SIGSEGV")]
)
def test_a_process_that_dies_takes_only_its_case_with_it(work: object, reason: str) -> None:
    with Crew(2) as crew:
        answers = dict(crew.run(work, NUMBERS))  # type: ignore[arg-type]
    lost = answers.pop(3)
    assert isinstance(lost, CaseLostError)
    assert reason in str(lost)
    assert answers == {number: {"number": number} for number in range(8) if number != 3}


def test_what_the_work_raises_ends_the_run() -> None:
    with Crew(2) as crew, pytest.raises(DataError, match="three is one too many"):
        list(crew.run(crew_scenes.refuse_three, NUMBERS[:4]))
    with Crew(2) as crew, pytest.raises(RuntimeError, match="ZeroDivisionError: four is two too many"):
        list(crew.run(crew_scenes.refuse_three, NUMBERS[4:5]))


@pytest.mark.parametrize(("wish", "expected"), [("many", 3), ("2", 2)])
def test_each_process_has_its_share_of_the_processors(
    wish: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", wish)
    with Crew(2, n_threads=3) as crew:
        (answer,) = dict(crew.run(crew_scenes.tell_threads, NUMBERS[:1])).values()
    assert answer["wish"] == str(expected)
    assert answer["threads"] in {1, expected}  # 1 without compiled operators


def test_a_process_that_cannot_begin_is_said_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medsegan.workflows.processes.crew._BOOT", "raise SystemError('no interpreter today')")
    with Crew(2) as crew, pytest.raises(MedseganError, match=r"no interpreter today; --workers 1 does without"):
        list(crew.run(crew_scenes.double, NUMBERS))


@needs_linux
def test_leaving_the_block_ends_the_processes_at_once(tmp_path: Path) -> None:
    def leave(crew: Crew) -> None:
        answers = crew.run(crew_scenes.sleep, [{"folder": str(tmp_path)}] * 4)
        threading.Thread(target=lambda: list(answers), daemon=True).start()
        assert crew_scenes.wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Crew(2) as crew:
        leave(crew)
    processes = [int(path.name) for path in tmp_path.iterdir()]
    assert len(processes) == 2
    assert not any(crew_scenes.is_running(process) for process in processes)


@needs_linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_process_outlives_the_one_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    # A script without a guard against being run again in each process, on purpose.
    script = tmp_path / "script.py"
    (tmp_path / "marks").mkdir()
    text = f"""
        import sys
        sys.path[:] = {sys.path!r}
        import crew_scenes
        from medsegan.workflows.processes.crew import Crew
        with Crew(2) as crew:
            list(crew.run(crew_scenes.sleep, [{{"folder": {str(tmp_path / "marks")!r}}}] * 4))
    """
    script.write_text(textwrap.dedent(text))
    program = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE)
    assert crew_scenes.wait_until(lambda: len(list((tmp_path / "marks").iterdir())) == 2)
    processes = [int(path.name) for path in (tmp_path / "marks").iterdir()]
    program.send_signal(how)
    _, stderr = program.communicate(timeout=20)
    assert crew_scenes.wait_until(lambda: not any(map(crew_scenes.is_running, processes)))
    assert (b"KeyboardInterrupt" in stderr) == (how == signal.SIGINT)


def test_reasons_say_what_can_be_done() -> None:
    assert describe_failure(DataError("as it is")) == "as it is"
    assert describe_failure(MemoryError()) == "there is not enough memory for this case; use fewer --workers"
    assert describe_failure(KeyError("x")) == "KeyError: 'x'"
