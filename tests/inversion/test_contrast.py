"""The contrast curve: exact where a curve exists, the identity where no pixel speaks."""

import pytest
import torch

from medsegan.inversion.contrast import KNOTS, RIDGE, ContrastCurve, fit_contrast


def image(low=-1.0, high=1.0, seed=0):
    return torch.rand(3, 1, 40, 40, generator=torch.Generator().manual_seed(seed)) * (high - low) + low


def known_curve():
    heights = torch.rand(KNOTS, generator=torch.Generator().manual_seed(5)) * 2 - 1
    assert (heights.diff() > 0).any()
    assert (heights.diff() < 0).any()  # neither monotone nor one-to-one
    return ContrastCurve(heights)


def test_a_curve_runs_linearly_between_its_knots():
    curve = known_curve()
    knots = torch.linspace(-1, 1, KNOTS)
    torch.testing.assert_close(curve(knots), curve.heights)
    torch.testing.assert_close(curve((knots[:-1] + knots[1:]) / 2), (curve.heights[:-1] + curve.heights[1:]) / 2)
    assert torch.equal(curve(torch.tensor([-9.0, 9.0])), curve.heights[[0, -1]])


def test_a_known_curve_is_found_again():
    source, curve = image(), known_curve()
    fitted = fit_contrast(source, curve(source))
    torch.testing.assert_close(fitted.heights, curve.heights, rtol=0, atol=0.02)
    torch.testing.assert_close(fitted(source), curve(source), rtol=0, atol=0.02)


def test_noise_is_averaged_out():
    source, curve = image(), known_curve()
    noisy = curve(source) + 0.3 * torch.randn(source.shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(fit_contrast(source, noisy).heights, curve.heights, rtol=0, atol=0.12)


def test_where_there_are_no_pixels_the_curve_stays_the_identity():
    source = image(-1.0, 0.0)
    fitted = fit_contrast(source, -source)
    knots = torch.linspace(-1, 1, KNOTS)
    unreached = knots > 2 / (KNOTS - 1)  # one knot beyond zero still touches pixels
    torch.testing.assert_close(fitted.heights[unreached], knots[unreached], rtol=0, atol=1e-5)
    torch.testing.assert_close(fitted(source), -source, rtol=0, atol=0.03)


def test_an_image_of_one_intensity_is_no_trouble():
    flat = torch.zeros(1, 1, 8, 8)
    fitted = fit_contrast(flat, flat + 0.5)
    assert fitted(flat).unique().item() == pytest.approx(0.5, abs=10 * RIDGE)
    assert fitted.heights.isfinite().all()


def test_it_is_the_least_squares_solution():
    """No neighbour in the space of curves does better, but for the ridge."""
    source, target = image(seed=1), image(seed=2)
    fitted = fit_contrast(source, target)
    best = (fitted(source) - target).square().mean()
    for k in range(KNOTS):
        for change in (-0.1, 0.1):
            heights = fitted.heights.clone()
            heights[k] += change
            assert (ContrastCurve(heights)(source) - target).square().mean() > best
