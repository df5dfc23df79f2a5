"""The loop around every stage: budgets, reports, pictures, the end."""

from types import SimpleNamespace

import pytest
import torch
from interruption import new_folder, rows, run_killed

from medsegan.progress import SILENT, Progress
from medsegan.training import loop
from medsegan.training.loop import Schedule, run_stage


class Line(torch.nn.Module):
    """The smallest stage: one weight, four images a step, half a second of a made-up clock."""

    name, batch = "line", 4

    def __init__(self, clock=None, seconds=0.5):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.optimizers = {"line": torch.optim.Adam([self.weight], lr=0.01)}
        self.clock, self.seconds, self.slow, self.seen = clock, seconds, 0, []

    def step(self, nimg, progress):
        self.seen.append((nimg, progress))
        if self.clock:
            self.clock.now += 3.0 if nimg < self.slow * self.batch else self.seconds
        loss = (self.weight - torch.randn(1)).square().sum()
        self.optimizers["line"].zero_grad()
        loss.backward()
        self.optimizers["line"].step()
        return {"loss": loss.item()} | ({"rare": 1.0} if nimg % 12 == 0 else {})


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def test_it_ends_at_the_number_of_images(tmp_path):
    stage = Line()
    end = run_stage(stage, Schedule(42, None, 0), new_folder(tmp_path / "run"), SILENT)
    assert [nimg for nimg, _ in stage.seen] == list(range(0, 44, 4))
    assert end.nimg == 44
    assert stage.seen[-1][1] == pytest.approx(40 / 42)


def test_a_finished_stage_is_not_trained_again(tmp_path):
    folder, schedule = new_folder(tmp_path / "run"), Schedule(40, None, 0)
    run_stage(first := Line(), schedule, folder, SILENT)
    again = Line()
    assert run_stage(again, schedule, folder, SILENT).nimg == 40
    assert again.seen == []
    assert torch.equal(again.weight, first.weight)


def test_a_time_budget_becomes_a_number_of_images(tmp_path, clock):
    stage = Line(clock)  # 8 images a second
    end = run_stage(stage, Schedule(10**9, 60.0, 0), new_folder(tmp_path / "run"), SILENT)
    assert end.total == 480
    assert end.nimg == 480
    assert end.seconds == pytest.approx(60.0)


def test_slow_first_steps_do_not_count_as_the_speed(tmp_path, clock):
    stage = Line(clock)
    stage.slow = loop.WARM_STEPS  # 3 s instead of 0.5 s each
    end = run_stage(stage, Schedule(10**9, 60.0, 0), new_folder(tmp_path / "run"), SILENT)
    assert end.seconds == pytest.approx(60.0)
    assert end.nimg == 8 * 60 - 8 * loop.WARM_STEPS * 2.5


def test_a_resumed_run_keeps_the_total_of_the_budget(tmp_path, clock):
    """The second machine is slower; a new measurement would end at another place."""
    schedule, folder = Schedule(10**9, 60.0, 0, checkpoint_every=100), new_folder(tmp_path / "run")
    run_killed(Line(clock), schedule, folder, 290)
    resumed = Line(clock, seconds=0.55)
    end = run_stage(resumed, schedule, folder, SILENT)
    assert resumed.seen[0] == (200, 200 / 480)
    assert end.total == end.nimg == 480
    assert end.seconds == pytest.approx(25.0 + 70 * 0.55)  # of both runs, without what was lost


def test_a_machine_that_gets_much_slower_ends_a_tenth_over_the_budget(tmp_path, clock):
    schedule, folder = Schedule(10**9, 60.0, 0, checkpoint_every=100), new_folder(tmp_path / "run")
    run_killed(Line(clock), schedule, folder, 290)
    end = run_stage(Line(clock, seconds=2.5), schedule, folder, SILENT)
    assert 66.0 < end.seconds <= 66.0 + 2.5
    assert end.total == end.nimg < 480
    assert run_stage(again := Line(clock), schedule, folder, SILENT).nimg == end.nimg
    assert again.seen == []


def test_a_budget_that_calibration_uses_up_ends_there(tmp_path, clock):
    end = run_stage(Line(clock), Schedule(10**9, 1.0, 0), new_folder(tmp_path / "run"), SILENT)
    assert end.nimg == end.total == 12  # three steps take 1.5 s


def test_statistics_are_means_since_the_last_row(tmp_path):
    folder = new_folder(tmp_path / "run")
    run_stage(Line(), Schedule(22, None, 0, log_every=8), folder, SILENT)
    logged = rows(folder)
    assert [row["nimg"] for row in logged] == [8, 16, 24]
    assert ["rare" in row for row in logged] == [True, True, False]
    assert all(row["stage"] == "line" for row in logged)


def test_the_listener_hears_of_start_rows_and_end(tmp_path):
    class Recorder(Progress):
        def __init__(self):
            self.heard = []

        def start(self, title, total, unit):
            self.heard.append((title, total, unit))

        def update(self, done, figures=None):
            self.heard.append((done, sorted(figures)))

        def finish(self):
            self.heard.append("finish")

    recorder = Recorder()
    run_stage(Line(), Schedule(16, None, 0, log_every=8), new_folder(tmp_path / "run"), recorder)
    assert recorder.heard == [
        ("train line", 16, "images"), (8, ["loss", "rare"]), (16, ["loss", "rare"]), "finish",
    ]  # fmt: skip


def test_pictures_are_drawn_at_intervals_and_at_the_end(tmp_path):
    drawn = []
    run_stage(Line(), Schedule(40, None, 0, sample_every=16), new_folder(tmp_path / "run"), SILENT, drawn.append)
    assert drawn == [16, 32, 40]


def test_rows_after_the_checkpoint_are_written_once(tmp_path):
    folder, schedule = new_folder(tmp_path / "run"), Schedule(40, None, 0, log_every=4, checkpoint_every=16)
    folder.log({"stage": "other", "nimg": 1000})
    run_killed(Line(), schedule, folder, 28)
    assert [row["nimg"] for row in rows(folder)] == [1000, 4, 8, 12, 16, 20, 24, 28]
    run_stage(Line(), schedule, folder, SILENT)
    assert [row["nimg"] for row in rows(folder)] == [1000, *range(4, 44, 4)]
