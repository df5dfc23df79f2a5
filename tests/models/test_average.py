"""The average of weights and its half-life."""

import pytest
import torch
from torch import nn

from medsegan.models import update_average


def pair():
    average, model = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    with torch.no_grad():
        average.weight.fill_(0.0)
        model.weight.fill_(1.0)
        model.running_mean.fill_(5.0)
    return average, model


@pytest.mark.parametrize("batch", [1, 10, 50, 100])
def test_half_of_the_way_is_left_after_the_half_life(batch):
    average, model = pair()
    for _ in range(100 // batch):
        update_average(average, model, batch, half_life_nimg=100)
    torch.testing.assert_close(average.weight.detach(), torch.full((3,), 0.5))


def test_buffers_are_copied_and_the_model_is_left_alone():
    average, model = pair()
    update_average(average, model, 1, half_life_nimg=1e9)
    assert torch.equal(average.running_mean, torch.full((3,), 5.0))
    assert torch.equal(model.weight, torch.ones(3))
    assert average.weight.max() < 1e-6


def test_no_half_life_is_a_copy():
    average, model = pair()
    update_average(average, model, 4, half_life_nimg=0)
    assert torch.equal(average.weight, model.weight)
