"""Optimisation of codes: it gets closer, and slices do not know of each other."""

from dataclasses import replace

import pytest
import torch
from inversion_scenes import small_segmenter, smooth_images

from medsegan.inversion import optimize as module
from medsegan.inversion.optimize import STRUCTURE, Objective, optimize

EXACT = torch.float64  # so that rounding, which Adam would blow up, decides nothing
SCALE = torch.tensor(0.5, dtype=EXACT)


@pytest.fixture(scope="module")
def model():
    return small_segmenter(EXACT)


def invert(model, target, steps=6, objective=None):
    with torch.no_grad():
        start = model.encoder(target)
    return optimize(model.generator, model.distance, target, start, steps, SCALE, objective or Objective())


def traced(model, monkeypatch, steps, objective):
    """The objective of every step of every slice."""
    losses, loss_of = [], module._loss

    def remember(*args):
        losses.append(loss_of(*args))
        return losses[-1]

    monkeypatch.setattr(module, "_loss", remember)
    invert(model, smooth_images(3, EXACT), steps, objective)
    return torch.stack(losses).detach()


def test_the_objective_falls_for_every_slice(model, monkeypatch):
    losses = traced(model, monkeypatch, 25, Objective())
    assert losses.shape == (25, 3)
    assert (losses[-1] < 0.9 * losses[0]).all()


def test_the_image_gets_closer(model):
    target = smooth_images(3, EXACT)
    objective = replace(Objective(), feature=0.0, prior=0.0, rate=0.1)
    far, near = (invert(model, target, steps, objective).images for steps in (1, 30))
    error = [(images - target).square().mean(dim=(1, 2, 3)) for images in (far, near)]
    assert (error[1] < 0.8 * error[0]).all()


def test_structure_gets_closer_too(model, monkeypatch):
    losses = traced(model, monkeypatch, 25, replace(STRUCTURE, prior=0.0))
    assert (losses[-1] < 0.95 * losses[0]).all()


def test_structure_is_blind_to_the_contrast(model):
    target = smooth_images(2, EXACT)
    with torch.no_grad():
        start = model.encoder(target)

    def found(image, objective):
        return optimize(model.generator, model.distance, image, start, 6, SCALE, objective).probabilities

    same, other = (
        (found(target, objective) - found(0.1 - 0.6 * target, objective)).abs().max()
        for objective in (STRUCTURE, Objective())
    )
    assert same < 0.02 * other


def test_what_has_no_weight_is_not_computed(model):
    def refuse(images, target):
        raise AssertionError("the perceptual distance has no weight")

    target = smooth_images(1, EXACT)
    with torch.no_grad():
        start = model.encoder(target)
    optimize(model.generator, refuse, target, start, 2, SCALE, STRUCTURE)


def test_a_strong_prior_holds_the_codes(model):
    target = smooth_images(2, EXACT)
    held = invert(model, target, 12, Objective(prior=1e6, noise=1e6)).images
    free = invert(model, target, 12, Objective(prior=0.0, noise=0.0)).images
    start = invert(model, target, 1).images  # the image before the first update
    assert (held - start).abs().mean() < 0.7 * (free - start).abs().mean()


def test_batched_equals_one_by_one(model):
    target = smooth_images(4, EXACT)
    batched = invert(model, target)
    for n in range(4):
        alone = invert(model, target[n : n + 1])
        torch.testing.assert_close(batched.images[n], alone.images[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(batched.probabilities[n], alone.probabilities[0], rtol=0, atol=1e-5)


def test_another_neighbour_changes_nothing(model):
    target = smooth_images(2, EXACT)
    other = torch.stack([target[0], -target[1]])
    torch.testing.assert_close(invert(model, target).images[0], invert(model, other).images[0], rtol=0, atol=1e-5)


def test_it_is_deterministic_whatever_the_random_state(model):
    target = smooth_images(2, EXACT)
    torch.manual_seed(1)
    one = invert(model, target)
    torch.manual_seed(2)
    assert torch.equal(one.probabilities, invert(model, target).probabilities)


def test_probabilities_are_the_mean_over_the_second_half(model, monkeypatch):
    seen = []
    handle = model.generator.register_forward_hook(lambda m, i, output: seen.append(output[1].softmax(dim=1)))
    found = invert(model, smooth_images(2, EXACT), 5)
    handle.remove()
    torch.testing.assert_close(found.probabilities, torch.stack(seen[2:]).mean(dim=0).detach())
    torch.testing.assert_close(found.probabilities.sum(dim=1), torch.ones(2, 32, 32, dtype=EXACT))


def test_nothing_but_the_codes_is_moved(model):
    before = [weight.clone() for weight in model.parameters()]
    invert(model, smooth_images(1, EXACT), 3)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert all(weight.grad is None for weight in model.parameters())


def test_the_rate_warms_up_and_comes_down():
    rates = [module._ramp(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.05)
    assert rates[9:75] == pytest.approx([1.0] * 66, abs=0.06)
    assert rates[99] < 0.01
    assert rates[75:] == sorted(rates[75:], reverse=True)
