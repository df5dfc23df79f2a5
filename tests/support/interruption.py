"""Runs that are killed, and what they leave behind."""

import json

from medsegan.progress import SILENT
from medsegan.training.config import TrainConfig
from medsegan.training.loop import run_stage
from medsegan.training.run_folder import RunFolder


class KilledError(Exception):
    """The run was killed."""


class Fragile:
    """A stage that is killed at the start of the step that begins at an image count."""

    def __init__(self, stage, at):
        self.stage, self.at = stage, at
        self.name, self.batch, self.optimizers = stage.name, stage.batch, stage.optimizers
        self.state_dict, self.load_state_dict = stage.state_dict, stage.load_state_dict

    def step(self, nimg, progress):
        if nimg >= self.at:
            raise KilledError
        return self.stage.step(nimg, progress)


def new_folder(path):
    folder = RunFolder(path)
    folder.begin(TrainConfig(), {}, resume=False, overwrite=False)
    return folder


def run_killed(stage, schedule, folder, at):
    """Run a stage until it is killed."""
    try:
        run_stage(Fragile(stage, at), schedule, folder, SILENT)
    except KilledError:
        return
    raise AssertionError(f"the run ended before {at} images")


def rows(folder):
    """The statistics without the time."""
    lines = (folder.path / "stats.jsonl").read_text().splitlines()
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]
