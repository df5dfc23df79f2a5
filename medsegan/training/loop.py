"""The training loop of every stage: steps, statistics, samples, checkpoints, time budget, resumption."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..progress import Progress as Listener
from .checkpoint import Progress, read_checkpoint, write_checkpoint
from .run_folder import RunFolder
from .seeding import seed_step
from .stage import Stage

WARM_STEPS, CALIBRATION_STEPS = 5, 50
OVERRUN = 1.1


@dataclass(frozen=True)
class Schedule:
    """How long a stage runs and how often it reports.

    Args:
        images: images of the whole stage; ignored where there is a time budget.
        seconds: time budget, None for none. The speed of the first steps turns it into a number of images, which
            is kept in the checkpoints: a resumed run ends where the first one would have. A machine that gets
            slower ends the stage early, a tenth over the budget.
        seed: of every random draw.
        log_every, sample_every, checkpoint_every: in images; None = a fixed share of the stage, the same in a
            resumed run. There is a sample and a checkpoint at the end in any case.
    """

    images: int
    seconds: float | None
    seed: int
    log_every: int | None = None
    sample_every: int | None = None
    checkpoint_every: int | None = None

    def intervals(self, total: int) -> tuple[int, int, int]:
        """Images between log lines, samples and checkpoints of a stage of `total` images."""
        return (
            self.log_every or max(500, total // 400),
            self.sample_every or max(2_000, total // 8),
            self.checkpoint_every or max(2_000, total // 50),
        )


@dataclass
class _Window:
    """Figures since the last log line."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1

    def take(self) -> dict[str, float]:
        means = {name: self.sums[name] / self.counts[name] for name in self.sums}
        self.sums, self.counts = {}, {}
        return means


def run_stage(
    stage: Stage,
    schedule: Schedule,
    folder: RunFolder,
    listener: Listener,
    on_sample: Callable[[int], None] | None = None,
) -> Progress:
    """Train a stage to its end, from its newest checkpoint if there is one; returns where it ended.

    Args:
        stage: what is trained.
        schedule: how long, how often.
        folder: of the run.
        listener: told of every log line.
        on_sample: draws a picture for a number of images.
    """
    resumed = read_checkpoint(folder.checkpoints, stage)
    state = resumed or Progress(0, schedule.images if schedule.seconds is None else 0, 0.0)
    folder.forget_after(stage.name, state.nimg)
    loop = _Loop(stage, schedule, folder, listener, on_sample)
    return loop.run(state)


class _Loop:
    """One pass through a stage; a class only so that the titled parts of the loop stay short."""

    def __init__(
        self,
        stage: Stage,
        schedule: Schedule,
        folder: RunFolder,
        listener: Listener,
        on_sample: Callable[[int], None] | None,
    ) -> None:
        self.stage, self.schedule, self.folder = stage, schedule, folder
        self.listener, self.on_sample = listener, on_sample
        self.window = _Window()

    def run(self, state: Progress) -> Progress:
        """Step until the total is reached; a checkpoint is left at the end."""
        nimg, total = state.nimg, state.total
        began = warm = time.perf_counter() - state.seconds
        if total:
            self._announce(total)
        while total == 0 or nimg < total:
            seed_step(self.schedule.seed, 0, self.stage.name, nimg)
            self.window.add(self.stage.step(nimg, nimg / total if total else 0.0))
            before, nimg = nimg, nimg + self.stage.batch
            now = time.perf_counter()
            if nimg == WARM_STEPS * self.stage.batch:
                warm = now
            if total == 0 and nimg >= CALIBRATION_STEPS * self.stage.batch:
                total = self._total_from_budget(nimg, now - began, now - warm)
                self._announce(total)
            if self._is_over_budget(now - began):
                total = nimg
            self._report(before, nimg, total, now - began)
        self.listener.finish()
        end = Progress(nimg, total, time.perf_counter() - began)
        if nimg > state.nimg:
            write_checkpoint(self.folder.checkpoints, self.stage, end)
            if self.on_sample:
                self.on_sample(nimg)
        return end

    def _announce(self, total: int) -> None:
        self.listener.start(f"train {self.stage.name}", total, "images")

    def _total_from_budget(self, nimg: int, seconds: float, since_warm: float) -> int:
        """The images that fit into the budget at the speed after the first, slow steps."""
        assert self.schedule.seconds is not None
        rate = (nimg - WARM_STEPS * self.stage.batch) / since_warm
        return nimg + max(0, int(rate * (self.schedule.seconds - seconds)))

    def _is_over_budget(self, seconds: float) -> bool:
        return self.schedule.seconds is not None and seconds > OVERRUN * self.schedule.seconds

    def _report(self, before: int, nimg: int, total: int, seconds: float) -> None:
        """Log, draw samples and write a checkpoint where the step went over their intervals."""
        if not total:
            return
        log_every, sample_every, checkpoint_every = self.schedule.intervals(total)
        is_last = nimg >= total
        is_kept = not is_last and _crosses(before, nimg, checkpoint_every)
        # A checkpoint ends the means too: a resumed run cannot know the figures of steps before it.
        if _crosses(before, nimg, log_every) or is_kept or is_last:
            figures = self.window.take()
            self.folder.log({"stage": self.stage.name, "nimg": nimg, "seconds": round(seconds, 2), **figures})
            self.listener.update(nimg, figures)
        if self.on_sample and not is_last and _crosses(before, nimg, sample_every):
            self.on_sample(nimg)
        if is_kept:
            write_checkpoint(self.folder.checkpoints, self.stage, Progress(nimg, total, seconds))


def _crosses(before: int, after: int, interval: int) -> bool:
    return before // interval != after // interval
