"""Bias, leaky ReLU and gain against their formula."""

import math

import pytest
import torch

from medsegan.ops import bias_act


@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5), (2, 3, 4, 5)])
def test_it_is_the_formula_along_axis_one(shape):
    rng = torch.Generator().manual_seed(0)
    x, bias = torch.randn(shape, generator=rng), torch.randn(shape[1], generator=rng)
    moved = x.movedim(1, -1) + bias
    expected = torch.where(moved > 0, moved, 0.2 * moved).movedim(-1, 1) * math.sqrt(2)
    torch.testing.assert_close(bias_act(x, bias), expected)


def test_it_keeps_the_variance_of_he_initialised_layers():
    x = torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0))
    # He's gain for slope 0.2 is sqrt(2 / 1.04); sqrt(2) is what StyleGAN rounds it to.
    assert bias_act(x, torch.zeros(1)).square().mean().item() == pytest.approx(1.04, abs=0.02)


def test_gradients_of_first_and_second_order():
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 3, 3, dtype=torch.float64, generator=rng)
    x = (x + x.sign() * 0.7).requires_grad_()  # away from the kink, which has no derivative
    bias = (torch.rand(3, dtype=torch.float64, generator=rng) * 0.2).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: bias_act(a, b).square(), (x, bias), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda a, b: bias_act(a, b).square(), (x, bias), fast_mode=True)
