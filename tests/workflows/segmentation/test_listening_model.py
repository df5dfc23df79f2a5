"""A model that only listens: the objective reaches it, and what it says of slices reaches the user."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from medsegan.errors import UsageError
from medsegan.imaging import read_label
from medsegan.models import Prediction
from medsegan.progress import Progress
from medsegan.workflows import segment as module
from medsegan.workflows.model_file import ModelFacts, TrainedModel
from medsegan.workflows.segment import SegmentOptions, segment

FACTS = ModelFacts("axial", 16, ("background", "liver"), (0, 1), {"ct": "ct"}, {}, ())


class Stages(Progress):
    """A listener that remembers what was counted, and how far."""

    def __init__(self) -> None:
        self.told: list[tuple[str, float, float]] = []
        self._stage = ("", 0.0)

    def start(self, title: str, total: float, unit: str) -> None:
        self._stage = (unit, total)

    def update(self, done: float, figures: Mapping[str, float] | None = None) -> None:
        self.told.append((*self._stage, done))


class Listener:
    """A predictor that finds nothing and remembers what it was asked for."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def predict(
        self, images: torch.Tensor, *, on_progress: Callable[[int], None], objective: str = "auto", **_: Any
    ) -> Prediction:
        self.heard.append(objective)
        on_progress(len(images))
        return Prediction(torch.ones(images.shape[0], 2, 16, 16) / 2)


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Listener]:
    """A function that puts a model of some method in place of those on disk."""

    def place(method: str) -> Listener:
        listener = Listener()
        model = TrainedModel(listener, FACTS, method, tmp_path, "")
        monkeypatch.setattr(module, "choose_model", lambda workspace, name: tmp_path)
        monkeypatch.setattr(module, "read_model", lambda folder, device: model)
        return listener

    return place


def options(tmp_path: Path, **chosen: Any) -> SegmentOptions:
    return SegmentOptions(
        tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz", device="cpu", overwrite=True, **chosen
    )


@pytest.mark.parametrize("objective", ["auto", "appearance", "structure"])
def test_the_model_hears_the_objective(
    listen: Callable[[str], Listener], write_case: Callable[..., None], tmp_path: Path, objective: str
) -> None:
    write_case(tmp_path / "scan.nii.gz")
    listener = listen("gan")
    assert len(segment(None, options(tmp_path, objective=objective)).cases) == 1
    assert listener.heard == [objective]
    assert dict(read_label(tmp_path / "mask.nii.gz").names) == {1: "liver"}


@pytest.mark.parametrize(
    ("method", "quality", "message"),
    [("unet", "best", "a U-Net optimises nothing"), ("gan", "fast", "no steps of optimisation were asked for")],
)
def test_without_optimisation_it_is_refused(
    listen: Callable[[str], Listener],
    write_case: Callable[..., None],
    tmp_path: Path,
    method: str,
    quality: str,
    message: str,
) -> None:
    write_case(tmp_path / "scan.nii.gz")
    listener = listen(method)
    with pytest.raises(UsageError, match=f"--objective: {message}"):
        segment(None, options(tmp_path, objective="structure", quality=quality))
    assert listener.heard == []
    assert len(segment(None, options(tmp_path, quality=quality)).cases) == 1


def test_slices_of_one_scan_are_counted_and_scans_of_a_batch(
    listen: Callable[[str], Listener], write_case: Callable[..., None], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_case(tmp_path / "in" / f"{name}.nii.gz")
    listen("gan")
    one, batch = Stages(), Stages()
    segment(None, SegmentOptions(tmp_path / "in" / "a.nii.gz", tmp_path / "a.nii.gz", device="cpu"), one)
    segment(None, SegmentOptions(tmp_path / "in", tmp_path / "out", device="cpu"), batch)
    assert one.told == [("slices", 12, 12)]
    assert batch.told == [("scans", 2, 1), ("scans", 2, 2)]
