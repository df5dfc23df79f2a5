"""The folder of one training run: configuration, statistics, samples, checkpoints, model."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..atomic import atomic_file
from ..errors import UsageError
from .config import TrainConfig


@dataclass(frozen=True)
class RunFolder:
    """Where a run keeps its files.

    Args:
        path: runs/<name> of a workspace.
    """

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Folder of the sample pictures."""
        return self.path / "samples"

    @property
    def model(self) -> Path:
        """Folder of the finished model."""
        return self.path / "model"

    @property
    def is_started(self) -> bool:
        """Whether a run has begun here."""
        return (self.path / "config.toml").is_file()

    @property
    def is_finished(self) -> bool:
        """Whether the run has written its model."""
        return (self.model / "model.json").is_file()

    def begin(self, config: TrainConfig, facts: Mapping[str, Any], *, resume: bool, overwrite: bool) -> None:
        """Make the folder, unless a run is resumed that has one.

        Args:
            config: the resolved configuration.
            facts: domain, labelled cases and the like, kept as run.json.
            resume: go on with what is there.
            overwrite: throw away what is there.

        Raises:
            UsageError: the run exists already and neither flag was given.
        """
        if self.is_started and overwrite and not resume:
            shutil.rmtree(self.path)
        elif self.is_started and not resume:
            raise UsageError(
                f"the run {self.path.name} exists in {self.path.parent}; pass --resume, --overwrite or --name"
            )
        if self.is_started:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        _write_text(self.path / "run.json", json.dumps(dict(facts), indent=1) + "\n")
        _write_text(self.path / "config.toml", config.to_toml())

    def config(self) -> TrainConfig:
        """The configuration that the run was started with."""
        return TrainConfig.from_toml((self.path / "config.toml").read_text(encoding="utf-8"))

    def facts(self) -> dict[str, Any]:
        """What `begin` recorded of the data."""
        return json.loads((self.path / "run.json").read_text(encoding="utf-8"))

    def log(self, row: Mapping[str, Any]) -> None:
        """Append one row to stats.jsonl."""
        with (self.path / "stats.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(row)) + "\n")

    def forget_after(self, stage: str, nimg: int) -> None:
        """Drop the rows of a stage beyond a number of images: a resumed run writes them again."""
        path = self.path / "stats.jsonl"
        if not path.is_file():
            return
        # A line without its end was being written when the run was killed.
        lines = [
            line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")
        ]
        rows = [json.loads(line) for line in lines]
        kept = [row for row in rows if row["stage"] != stage or row["nimg"] <= nimg]
        _write_text(path, "".join(json.dumps(row) + "\n" for row in kept))


def _write_text(path: Path, text: str) -> None:
    """Write a text file that appears whole or not at all."""
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
