"""Checkpoints: the newest whole one counts, two are kept, a wrong one is refused."""

import json

import pytest
import torch
from learning_scenes import differing, training_state, unet_stage

from medsegan.errors import ModelError
from medsegan.training.checkpoint import Progress, read_checkpoint, write_checkpoint


@pytest.fixture(scope="module")
def trained():
    stage = unet_stage()
    torch.manual_seed(0)
    stage.step(0, 0.0)
    return stage


def test_everything_comes_back(trained, tmp_path):
    write_checkpoint(tmp_path, trained, Progress(40, 100, 12.5))
    other = unet_stage(seed=9)
    assert read_checkpoint(tmp_path, other) == Progress(40, 100, 12.5)
    assert differing(training_state(trained), training_state(other)) == []
    mine, theirs = (json.dumps(s.optimizers["unet"].state_dict()["param_groups"]) for s in (trained, other))
    assert mine == theirs


def test_nothing_there_is_no_checkpoint(tmp_path):
    assert read_checkpoint(tmp_path / "checkpoints", unet_stage()) is None


def test_the_last_two_are_kept_and_the_newest_is_read(trained, tmp_path):
    for nimg in (4, 8, 12, 1_000_000):
        write_checkpoint(tmp_path, trained, Progress(nimg, 2_000_000, 0.0))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["unet-0000000012", "unet-0001000000"]
    assert read_checkpoint(tmp_path, unet_stage()).nimg == 1_000_000


def test_other_stages_are_left_alone(trained, tmp_path):
    (tmp_path / "gan-0000000004").mkdir()
    for nimg in (4, 8, 12):
        write_checkpoint(tmp_path, trained, Progress(nimg, 20, 0.0))
    assert (tmp_path / "gan-0000000004").is_dir()


def test_a_half_written_one_is_passed_over(trained, tmp_path):
    write_checkpoint(tmp_path, trained, Progress(4, 20, 0.0))
    newest = write_checkpoint(tmp_path, trained, Progress(8, 20, 0.0))
    (newest / "state.json").unlink()
    assert read_checkpoint(tmp_path, unet_stage()).nimg == 4


def test_a_damaged_one_is_refused(trained, tmp_path):
    path = write_checkpoint(tmp_path, trained, Progress(4, 20, 0.0)) / "state.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged"):
        read_checkpoint(tmp_path, unet_stage())


@pytest.mark.parametrize("channels", [(4, 16), (4, 8, 16)])
def test_another_size_is_refused_in_one_sentence(trained, tmp_path, channels):
    write_checkpoint(tmp_path, trained, Progress(4, 20, 0.0))
    with pytest.raises(ModelError, match="does not fit this configuration") as caught:
        read_checkpoint(tmp_path, unet_stage(channels=channels))
    assert "\n" not in str(caught.value)
