"""A run that was killed and resumed is bit for bit the run that was not."""

import pytest
from interruption import new_folder, rows, run_killed
from learning_scenes import differing, encoder_stage, gan_stage, training_state, unet_stage

from medsegan.progress import SILENT
from medsegan.training.loop import Schedule, run_stage

MAKERS = {"gan": gan_stage, "encoder": encoder_stage, "unet": unet_stage}
CHANGES = {"gan": {"r1_every": 3, "path_length_every": 2}, "encoder": {}, "unet": {}}
IMAGES = 44


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """For every stage: its state and its statistics after a run without interruption."""
    known = {}

    def of(name, schedule):
        key = (name, schedule)
        if key not in known:
            stage, folder = MAKERS[name](**CHANGES[name]), new_folder(tmp_path_factory.mktemp("whole"))
            end = run_stage(stage, schedule, folder, SILENT)
            known[key] = training_state(stage), rows(folder), end
        return known[key]

    return of


@pytest.mark.parametrize(
    ("log_every", "checkpoint_every", "kills"),
    [
        (8, 16, (37,)),  # two steps after the checkpoint at 32
        (8, 14, (25,)),  # the interval divides neither the batch nor that of the log
        (12, 20, (11, 24, 39)),  # before the first checkpoint, right after one, before the end
    ],
)
@pytest.mark.parametrize("name", MAKERS)
def test_resumed_equals_uninterrupted(name, log_every, checkpoint_every, kills, tmp_path, whole):
    schedule = Schedule(IMAGES, None, 5, log_every, 0, checkpoint_every)
    state, statistics, end = whole(name, schedule)
    folder = new_folder(tmp_path / "run")
    for at in kills:
        run_killed(MAKERS[name](seed=0, **CHANGES[name]), schedule, folder, at)
    resumed = MAKERS[name](**CHANGES[name])
    progress = run_stage(resumed, schedule, folder, SILENT)
    assert (progress.nimg, progress.total) == (end.nimg, end.total)
    assert differing(state, training_state(resumed)) == []
    assert rows(folder) == statistics


@pytest.mark.parametrize("name", ["gan", "unet"])
def test_a_stage_built_from_other_weights_becomes_the_same_one(name, tmp_path, whole):
    """Everything that differs between two fresh stages is in the checkpoint."""
    schedule = Schedule(IMAGES, None, 5, 8, 0, 16)
    folder = new_folder(tmp_path / "run")
    run_killed(MAKERS[name](**CHANGES[name]), schedule, folder, 30)
    resumed = MAKERS[name](seed=99, **CHANGES[name])
    run_stage(resumed, schedule, folder, SILENT)
    assert differing(whole(name, schedule)[0], training_state(resumed)) == []


def test_another_seed_is_another_run(tmp_path, whole):
    schedule = Schedule(IMAGES, None, 5, 8, 0, 16)
    other = unet_stage()
    run_stage(other, Schedule(IMAGES, None, 6, 8, 0, 16), new_folder(tmp_path / "run"), SILENT)
    assert differing(whole("unet", schedule)[0], training_state(other))


def test_what_a_listener_or_a_picture_draws_changes_nothing(tmp_path, whole):
    schedule = Schedule(IMAGES, None, 5, 8, 0, 16)
    stage = gan_stage(**CHANGES["gan"])
    drawn = []
    run_stage(
        stage,
        Schedule(IMAGES, None, 5, 8, 10, 16),
        new_folder(tmp_path / "run"),
        SILENT,
        lambda nimg: drawn.append((nimg, stage.samples(3))),
    )
    assert [nimg for nimg, _ in drawn] == [12, 20, 32, 40, 44]
    assert differing(whole("gan", schedule)[0], training_state(stage)) == []
