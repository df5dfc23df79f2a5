"""Progress lines for a log, bars for a terminal, and silence for --json."""

import io

import pytest
from rich.console import Console as RichConsole

from medsegan_cli.bars import Bars
from medsegan_cli.console import Console
from medsegan_cli.lines import Lines, NotesOnly
from medsegan_cli.pace import Pace, format_duration, format_figures, format_rate


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Screen(io.StringIO):
    """A terminal of text."""

    def isatty(self) -> bool:
        return True


def test_one_line_each_twentieth_with_rate_time_left_and_losses() -> None:
    lines: list[str] = []
    clock = Clock()
    progress = Lines(lines.append, clock)
    progress.start("GAN", 1000, "images")
    for done in range(0, 1001, 10):
        progress.update(done, {"critic": 0.69314, "r1": 0.00123})
        clock.now_s += 1.0
    progress.finish()
    assert lines[0] == "GAN: 1,000 images"
    assert lines[1] == "GAN:   5 %  50 of 1,000 images  10 images/s  1:35 left  critic 0.693  r1 0.00123"
    assert lines[-1] == "GAN: 100 %  1,000 of 1,000 images  10 images/s  critic 0.693  r1 0.00123"
    assert len(lines) == 1 + 20


def test_few_cases_get_a_line_each_and_no_work_gets_none_of_them() -> None:
    lines: list[str] = []
    progress = Lines(lines.append, Clock())
    progress.start("prepare", 3, "cases")
    for done in (1, 2, 2, 3):
        progress.update(done)
    progress.finish()
    progress.update(3)
    assert [line[:14] for line in lines] == [
        "prepare: 3 cas",
        "prepare:  33 %",
        "prepare:  67 %",
        "prepare: 100 %",
    ]
    progress.start("prepare", 0, "cases")
    progress.finish()
    assert lines[-1] == "prepare: 0 cases"


def test_the_last_case_is_named_until_the_next_stage() -> None:
    lines: list[str] = []
    progress = Lines(lines.append, Clock())
    progress.start("prepare", 2, "cases")
    progress.item("0a1b2c")
    progress.update(1, {"failed": 1})
    progress.start("again", 1, "cases")
    progress.update(1)
    assert lines[1] == "prepare:  50 %  1 of 2 cases  failed 1  last 0a1b2c"
    assert "last" not in lines[-1]
    screen = Screen()
    bars = Bars(lines.append, console=RichConsole(file=screen, force_terminal=True, width=120))
    bars.item("too early")
    bars.start("prepare", 2, "cases")
    bars.item("0a1b2c")
    bars.update(1)
    bars.finish()
    assert "0a1b2c" in screen.getvalue()


def test_a_resumed_stage_does_not_count_what_was_done_before() -> None:
    clock = Clock()
    pace = Pace(1000, clock)
    pace.record(900)
    assert pace.per_second is None
    assert pace.seconds_left is None
    clock.now_s += 5
    pace.record(910)
    assert pace.per_second == pytest.approx(2.0)
    assert pace.seconds_left == pytest.approx(45.0)


def test_the_rate_is_that_of_the_last_minute() -> None:
    clock = Clock()
    pace = Pace(10_000, clock)
    done = 0
    for rate in (1, 10):
        for _ in range(100):
            clock.now_s += 1
            done += rate
            pace.record(done)
    assert pace.per_second == pytest.approx(10.0)


def test_rates_durations_and_figures_in_words() -> None:
    assert [format_rate(rate, "images") for rate in (None, 120.4, 1.26, 0.04)] == [
        "",
        "120 images/s",
        "1.3 images/s",
        "25 s each",
    ]
    assert [format_duration(s) for s in (None, 0, 7, 750, 3723)] == ["", "0:00", "0:07", "12:30", "1:02:03"]
    assert format_figures(None) == ""
    assert format_figures({"a": 1e-7, "b": 12345.0}) == "a 1e-07  b 1.23e+04"


def test_a_bar_shows_count_rate_and_figures_and_notes_above_it() -> None:
    screen = Screen()
    written: list[str] = []
    heard: list[str] = []
    bars = Bars(
        written.append, heard.append, RichConsole(file=screen, force_terminal=True, width=120, color_system=None)
    )
    bars.note("before")
    bars.start("encoder", 200, "images")
    bars.update(50, {"loss": 0.25})
    bars.note("took [cpu] for auto")
    bars.finish()
    bars.update(60)
    shown = screen.getvalue()
    assert written == ["before"]
    assert heard == ["took [cpu] for auto"]
    assert "encoder" in shown
    assert "50/200 images" in shown
    assert "loss 0.25" in shown
    assert "took [cpu] for auto" in shown
    assert "60/200" not in shown


def test_json_draws_nothing_and_still_says_what_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(is_json=True).progress() as progress:
        assert isinstance(progress, NotesOnly)
        assert not isinstance(progress, Lines)
        progress.start("GAN", 100, "images")
        progress.update(50)
        progress.note("the labels were remapped")
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "the labels were remapped\n"


def test_lines_without_a_terminal_and_bars_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with Console().progress() as progress:
        assert isinstance(progress, Lines)
    monkeypatch.setattr("sys.stderr", Screen())
    monkeypatch.setenv("TERM", "xterm")
    with Console().progress() as progress:
        assert isinstance(progress, Bars)
    monkeypatch.setenv("TERM", "dumb")
    with Console().progress() as progress:
        assert isinstance(progress, Lines)


@pytest.mark.parametrize(("no_color", "is_coloured"), [("", True), ("1", False)])
def test_the_error_mark_is_coloured_only_where_it_may_be(
    monkeypatch: pytest.MonkeyPatch, no_color: str, is_coloured: bool
) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_color)
    Console().error("no such scan")
    assert ("\033[" in screen.getvalue()) is is_coloured
