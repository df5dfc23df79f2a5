"""The random state of a step does not depend on what was drawn before it."""

import pytest
import torch

from medsegan.training.seeding import seed_step


def drawn_at(*key):
    seed_step(*key)
    return torch.randn(4)


def test_history_does_not_matter():
    torch.manual_seed(1)
    one = drawn_at(7, 0, "gan", 40)
    torch.manual_seed(2)
    torch.rand(1000)
    assert torch.equal(one, drawn_at(7, 0, "gan", 40))


@pytest.mark.parametrize("key", [(8, 0, "gan", 40), (7, 1, "gan", 40), (7, 0, "encoder", 40), (7, 0, "gan", 44)])
def test_seed_rank_stage_and_image_all_matter(key):
    assert not torch.equal(drawn_at(7, 0, "gan", 40), drawn_at(*key))


def test_it_is_the_same_in_every_process():
    """A fixed value: Python's own hash of a text would differ from process to process."""
    seed_step(0, 0, "gan", 0)
    assert torch.initial_seed() == 4036602729508653389
