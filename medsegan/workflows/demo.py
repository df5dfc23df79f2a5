"""`demo`: the four verbs on phantoms, from nothing to a table of the joint GAN beside the U-Net."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import UsageError
from ..metrics import EvaluationReport
from ..phantoms import Appearance, PhantomLabels, write_dataset
from ..progress import SILENT, Progress
from .evaluate import EvaluateOptions, evaluate
from .prepare import PrepareOptions, prepare
from .segment import SegmentOptions, segment
from .train import TrainOptions, train
from .workspace import Workspace

N_LABELED = 9
MARKER = ".medsegan-demo"
TEST_FRACTION = 0.15


@dataclass(frozen=True)
class DemoOptions:
    """The options of the demonstration.

    Args:
        folder: to fill; a demonstration that is there already is thrown away only with `overwrite`.
        seed: of phantoms and trainings.
        phantoms_only: write the scans and stop.
        overwrite: replace what an earlier demonstration left.
        size: pixels of the slices.
        n_ct, n_mr: cases of each appearance.
        gan_s, unet_s: seconds for training the joint GAN with its encoder, and the U-Net.
    """

    folder: Path
    seed: int = 0
    phantoms_only: bool = False
    overwrite: bool = False
    size: int = 32
    n_ct: int = 72
    n_mr: int = 8
    gan_s: float = 545.0
    unet_s: float = 40.0


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration came to.

    Args:
        headers, rows: Dice per class for each method and domain; empty where only phantoms were written.
        pictures: what to look at.
        seconds: all in all.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    pictures: tuple[Path, ...]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {
            "headers": list(self.headers),
            "rows": [list(row) for row in self.rows],
            "pictures": [str(path) for path in self.pictures],
            "seconds": self.seconds,
        }


def run_demo(options: DemoOptions, progress: Progress = SILENT) -> DemoResult:
    """The table of the demonstration: trained on phantom CT with nine labelled patients, tested on CT and MR.

    Args:
        options: see `DemoOptions`.
        progress: hears of all stages.

    Raises:
        UsageError: the folder holds something else.
    """
    began = time.perf_counter()
    _require_usable(options)
    scans = options.folder / "scans"
    counts: dict[Appearance, int] = {"ct": options.n_ct, "mr": options.n_mr}
    for appearance, count in counts.items():
        write_dataset(scans / appearance, appearance, count, options.seed, progress=progress)
    if options.phantoms_only:
        return DemoResult((), (), (), round(time.perf_counter() - began, 1))
    pictures = _prepare(options, scans, progress)
    workspace = Workspace.open(options.folder)
    budgets: dict[Literal["gan", "unet"], float] = {"gan": options.gan_s, "unet": options.unet_s}
    for method, seconds in budgets.items():
        pictures += _train(workspace, method, seconds, options, progress)
    preview = options.folder / "unseen-mr.png"
    source = sorted((scans / "mr" / "images").iterdir())[0]
    asked = SegmentOptions(source, options.folder / "unseen-mr.nii.gz", model="gan", preview=preview)
    segment(workspace, asked, progress)
    headers, rows, overlays = _evaluate(workspace, progress)
    return DemoResult(headers, rows, (*pictures, preview, *overlays), round(time.perf_counter() - began, 1))


def _require_usable(options: DemoOptions) -> None:
    """Refuse a folder that holds anything but an earlier demonstration; clear that if it may be replaced."""
    folder = options.folder
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            raise UsageError(f"{folder} holds other files; give an empty or a new folder")
        if not options.overwrite:
            raise UsageError(f"{folder} holds an earlier demonstration; pass --overwrite, or give another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()


def _prepare(options: DemoOptions, scans: Path, progress: Progress) -> tuple[Path, ...]:
    """Both domains: CT split by patient, MR a test set as a whole."""
    sheets = []
    for appearance, val_fraction, test_fraction in (("ct", 0.0, TEST_FRACTION), ("mr", 0.0, 1.0)):
        asked = PrepareOptions(
            paths=(scans / appearance,),
            classes=PhantomLabels.as_dict(),
            size=options.size,
            seed=options.seed,
            val_fraction=val_fraction,
            test_fraction=test_fraction,
        )
        result = prepare(options.folder, asked, progress)
        if result.contact_sheet is not None:
            sheets.append(result.contact_sheet)
    return tuple(sheets)


def _train(
    workspace: Workspace, method: Literal["gan", "unet"], seconds: float, options: DemoOptions, progress: Progress
) -> tuple[Path, ...]:
    asked = TrainOptions(
        domain="ct",
        labeled=N_LABELED,
        method=method,
        preset="tiny",
        name=method,
        time_budget_s=seconds,
        seed=options.seed,
        device="cpu",
    )
    result = train(workspace, asked, progress)
    samples = sorted((result.path / "samples").glob("*.png"))
    latest = {path.name.split("-")[0]: path for path in samples}
    return tuple(latest.values())


def _evaluate(
    workspace: Workspace, progress: Progress
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[Path, ...]]:
    names = tuple(workspace.labels)
    rows, pictures = [], []
    for domain in ("ct", "mri"):
        for run, title in (("gan", "joint GAN"), ("unet", "U-Net")):
            result = evaluate(workspace, EvaluateOptions(domain, run=run, device="cpu"), progress)
            place = "CT, unseen patients" if domain == "ct" else "MR, never seen"
            rows.append((title, place, *_dice(result.report, names)))
            if result.picture is not None:
                pictures.append(result.picture)
    return ("Dice", "tested on", *names, "mean"), tuple(rows), tuple(pictures)


def _dice(report: EvaluationReport, names: tuple[str, ...]) -> list[str]:
    summary = report.summary()
    means = {entry.name: entry.metric("dice").mean for entry in summary.classes}
    values = [*(means.get(name) for name in names), summary.mean.metric("dice").mean]
    return ["-" if value is None else f"{value:.3f}" for value in values]
