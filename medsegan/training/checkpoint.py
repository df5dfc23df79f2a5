"""The whole state of a stage on disk: weights, averages, augmentation, optimisers, images seen."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import ModelError
from ..models import read_archive, write_archive
from .stage import Stage

KEPT = 2


@dataclass(frozen=True)
class Progress:
    """Where a stage stands.

    Args:
        nimg: images seen.
        total: images at which the stage ends; fixed once, also where it came from a time budget.
        seconds: time spent so far, over all runs.
    """

    nimg: int
    total: int
    seconds: float


def write_checkpoint(folder: Path, stage: Stage, progress: Progress) -> Path:
    """Write a checkpoint of a stage and drop all but the last two; returns its folder."""
    tensors = {f"weights/{name}": tensor for name, tensor in stage.state_dict().items()}
    document: dict[str, Any] = {"stage": stage.name, "optimizers": {}, **progress.__dict__}
    for name, optimizer in stage.optimizers.items():
        state = optimizer.state_dict()
        for index, entries in state["state"].items():
            for key, value in entries.items():
                tensors[f"optimizer/{name}/{index}/{key}"] = torch.as_tensor(value)
        document["optimizers"][name] = state["param_groups"]
    path = folder / f"{stage.name}-{progress.nimg:010d}"
    write_archive(path, "state", tensors, document)
    for old in _checkpoints(folder, stage.name)[:-KEPT]:
        shutil.rmtree(old)
    return path


def read_checkpoint(folder: Path, stage: Stage) -> Progress | None:
    """Load the newest whole checkpoint of a stage into it; None if there is none.

    Raises:
        ModelError: the checkpoint is damaged or belongs to a stage of another size.
    """
    paths = [p for p in _checkpoints(folder, stage.name) if (p / "state.json").is_file()]
    if not paths:
        return None
    tensors, document = read_archive(paths[-1], "state")
    weights = {key.removeprefix("weights/"): value for key, value in tensors.items() if key.startswith("weights/")}
    try:
        stage.load_state_dict(weights)
        for name, optimizer in stage.optimizers.items():
            optimizer.load_state_dict(
                {"state": _optimizer_state(tensors, name), "param_groups": document["optimizers"][name]}
            )
    except (RuntimeError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{paths[-1]} does not fit this configuration: {reason}; use --overwrite to start anew"
        ) from error
    return Progress(document["nimg"], document["total"], document["seconds"])


def _optimizer_state(tensors: dict[str, torch.Tensor], name: str) -> dict[int, dict[str, torch.Tensor]]:
    prefix = f"optimizer/{name}/"
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix):
            index, entry = key.removeprefix(prefix).split("/")
            state.setdefault(int(index), {})[entry] = value
    return state


def _checkpoints(folder: Path, stage: str) -> list[Path]:
    return sorted(folder.glob(f"{stage}-*"))
