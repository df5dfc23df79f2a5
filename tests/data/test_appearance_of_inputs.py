"""Random appearance: air stays air, the body changes."""

import pytest
import torch
from learning_scenes import labeled_discs

from medsegan.data import randomize_appearance
from medsegan.data.appearance import random_curve


def images(count=8):
    torch.manual_seed(0)
    return labeled_discs().draw(count)[0]


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_air_stays_air(probability):
    x = images()
    y = randomize_appearance(x, probability)
    assert (x == -1).any()
    assert (y[x == -1] == -1).all()
    assert y.abs().max() <= 1


def test_no_probability_leaves_everything_but_the_edge_of_air():
    x = images()
    y = randomize_appearance(x, 0.0)
    body = x > -0.86
    torch.testing.assert_close(y[body], x[body], rtol=0, atol=1e-6)


def test_certainty_changes_every_body():
    x = images()
    change = (randomize_appearance(x, 1.0) - x).abs()
    assert (change.amax(dim=(1, 2, 3)) > 0.1).all()


def test_the_seed_decides():
    x = images()
    torch.manual_seed(3)
    one = randomize_appearance(x)
    torch.manual_seed(3)
    assert torch.equal(one, randomize_appearance(x))
    assert not torch.equal(one, randomize_appearance(x))


def test_samples_differ_from_each_other():
    x = images(1).expand(4, -1, -1, -1)
    y = randomize_appearance(x, 1.0)
    assert all((y[i] - y[j]).abs().max() > 0.05 for i in range(4) for j in range(i))


def test_curves_are_continuous_and_not_monotone():
    ramp = torch.linspace(-1, 1, 1001).view(1, 1, 1, -1).expand(200, -1, -1, -1)
    torch.manual_seed(0)
    curves = random_curve(ramp)[:, 0, 0]
    steps = curves.diff(dim=1)
    assert steps.abs().max() <= 1.9 / (1000 / 6) + 1e-5  # the steepest: from knot to knot over the whole range
    is_monotone = (steps >= 0).all(dim=1) | (steps <= 0).all(dim=1)
    assert is_monotone.float().mean() < 0.05
    assert curves.min() >= -0.9 - 1e-5
    assert curves.max() <= 1.0 + 1e-5
    assert curves.std(dim=0).min() > 0.3


def test_equal_intensities_stay_equal_under_the_curve():
    x = torch.tensor([0.3, -0.2, 0.3, -0.2]).view(1, 1, 2, 2)
    y = random_curve(x).flatten()
    assert y[0] == y[2]
    assert y[1] == y[3]
