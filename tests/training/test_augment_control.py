"""The probability of augmentation follows the overfitting of a critic."""

import pytest
import torch

from medsegan.training.augment_control import AugmentControl

SURE, UNSURE = torch.full((4,), 3.0), torch.tensor([3.0, -3.0, 3.0, -3.0])


def test_it_rises_while_the_critic_is_too_sure_and_falls_otherwise():
    control = AugmentControl(start=0.5, target=0.6, images=100)
    control.observe(SURE)
    assert control.probability == pytest.approx(0.54)  # 4 of 100 images
    control.observe(UNSURE)
    control.observe(UNSURE)
    assert control.probability == pytest.approx(0.46)


@pytest.mark.parametrize(("logits", "end"), [(SURE, 0.9), (-SURE, 0.0)])
def test_it_stays_between_nothing_and_its_limit(logits, end):
    control = AugmentControl(start=0.5, target=0.6, images=20)
    for _ in range(20):
        control.observe(logits)
    assert control.probability == pytest.approx(end)


def test_at_the_target_it_rests():
    control = AugmentControl(start=0.5, target=0.5, images=100)
    control.observe(torch.tensor([1.0, 1.0, 1.0, -1.0]))
    assert control.probability == 0.5


def test_it_holds_the_target_where_augmentation_helps():
    """A critic whose share of positive logits falls as p rises; at p = 0.4 the target is met."""
    control = AugmentControl(start=0.0, target=0.5, images=10_000)
    for _ in range(100):
        share = 0.75 - (control.probability - 0.4)
        control.observe(torch.where(torch.arange(100) < 100 * share, 1.0, -1.0))
    assert control.probability == pytest.approx(0.4, abs=0.03)


def test_it_is_part_of_the_training_state():
    control = AugmentControl(0.0, 0.6, 100)
    control.observe(SURE)
    other = AugmentControl(0.0, 0.6, 100)
    other.load_state_dict(control.state_dict())
    assert other.probability == control.probability > 0
