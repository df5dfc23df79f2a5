"""The folder of a run: started once, resumed or overwritten only on request."""

import pytest

from medsegan.errors import UsageError
from medsegan.training.config import TrainConfig
from medsegan.training.run_folder import RunFolder


def begin(folder, seed=0, **flags):
    folder.begin(TrainConfig(seed=seed), {"seed": seed}, **{"resume": False, "overwrite": False, **flags})


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "ct")
    assert not folder.is_started
    begin(folder)
    (folder.path / "old.txt").touch()
    return folder


def test_a_run_keeps_its_configuration_and_facts(folder):
    assert folder.is_started
    assert not folder.is_finished
    assert folder.config() == TrainConfig(seed=0)
    assert folder.facts() == {"seed": 0}


def test_a_run_is_not_overwritten_by_chance(folder):
    with pytest.raises(UsageError, match=r"the run ct exists.*--resume, --overwrite"):
        begin(folder, seed=1)
    assert folder.facts() == {"seed": 0}


def test_overwriting_throws_everything_away(folder):
    begin(folder, seed=1, overwrite=True)
    assert folder.facts() == {"seed": 1}
    assert not (folder.path / "old.txt").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_resuming_keeps_everything(folder, overwrite):
    begin(folder, seed=1, resume=True, overwrite=overwrite)
    assert folder.facts() == {"seed": 0}
    assert (folder.path / "old.txt").exists()


def test_resuming_what_was_never_begun_begins_it(tmp_path):
    folder = RunFolder(tmp_path / "new")
    begin(folder, resume=True)
    assert folder.is_started
