"""From slices to labels: encoder, chunks, contrast of an unseen modality."""

import pytest
import torch
from inversion_scenes import small_segmenter, smooth_images

from medsegan.inversion import segmenter as module
from medsegan.inversion import views
from medsegan.inversion.contrast import fit_contrast
from medsegan.inversion.optimize import APPEARANCE, STRUCTURE

CHUNKS = pytest.mark.parametrize("steps", [0, 4])


@pytest.fixture(scope="module")
def model():
    return small_segmenter()


def predict(model, images, steps=0, seen=True, on_progress=lambda n: None, objective="auto"):
    return model.predict(images, steps=steps, seen_modality=seen, on_progress=on_progress, objective=objective)


def without_noise(model, images):
    with torch.no_grad():
        noise = [torch.zeros(1, 1, h, w, dtype=images.dtype) for h, w in model.generator.noise_shapes()]
        return model.generator(model.encoder(images), noise)


@CHUNKS
@pytest.mark.parametrize("seen", [True, False])
def test_chunks_equal_the_whole(model, monkeypatch, steps, seen):
    images = smooth_images(5)
    whole = predict(model, images, steps, seen)
    monkeypatch.setattr(module, "CHUNK_PIXELS", 2 * 32 * 32)
    progress = []
    pieces = predict(model, images, steps, seen, progress.append)
    torch.testing.assert_close(pieces.probabilities, whole.probabilities, rtol=0, atol=2e-3)
    torch.testing.assert_close(pieces.reconstruction, whole.reconstruction, rtol=0, atol=2e-3)
    assert progress == sorted(progress)
    assert progress[-1] == 5
    assert steps == 0 or progress[:2] == [2, 4]


@CHUNKS
def test_probabilities_sum_to_one(model, steps):
    found = predict(model, smooth_images(2), steps)
    assert found.probabilities.shape == (2, 3, 32, 32)
    assert found.probabilities.dtype == torch.float32
    torch.testing.assert_close(found.probabilities.sum(dim=1), torch.ones(2, 32, 32))
    assert found.reconstruction.shape == (2, 1, 32, 32)


def test_no_steps_is_what_the_encoder_says(model, monkeypatch):
    images = smooth_images(3)
    made, logits = without_noise(model, images)
    monkeypatch.setattr(views, "SHIFTS", ((0.0, 0.0),))
    found = predict(model, images, 0)
    torch.testing.assert_close(found.probabilities, logits.softmax(dim=1))
    torch.testing.assert_close(found.reconstruction, made)


def test_a_shift_there_and_back_is_the_identity_on_smooth_images():
    images = smooth_images(3)
    there = views.shift(images, 0.05, -0.03)
    back = views.shift(there, -0.05, 0.03)
    assert (there - images).abs().max() > 5 * (back - images)[:, :, 4:-4, 4:-4].abs().max()


def test_whole_pixels_are_shifted_exactly():
    images = smooth_images(1)
    moved = views.shift(images, 2 / 32, 0.0)
    torch.testing.assert_close(moved[..., :-2], images[..., 2:], atol=1e-4, rtol=0)


def test_steps_bring_the_reconstruction_closer(model):
    images = smooth_images(3)
    error = [(predict(model, images, steps).reconstruction - images).square().mean() for steps in (0, 30)]
    assert error[1] < 0.95 * error[0]


def spy_on_targets(model, monkeypatch, images, seen, objective="auto"):
    """What was optimised for: the targets, and the one set of weights."""
    targets, weights = [], set()
    original = module.optimize

    def spy(generator, distance, target, *rest):
        targets.append(target)
        weights.add(rest[-1])
        return original(generator, distance, target, *rest)

    monkeypatch.setattr(module, "optimize", spy)
    predict(model, images, 2, seen, objective=objective)
    return torch.cat(targets), weights.pop()


def test_a_seen_modality_is_reproduced_as_it_is(model, monkeypatch):
    images = smooth_images(3)
    assert torch.equal(spy_on_targets(model, monkeypatch, images, True)[0], images)


def test_an_unseen_modality_is_brought_into_the_contrast_of_the_generator(model, monkeypatch):
    images = smooth_images(3)
    made, _ = without_noise(model, images)
    target, _ = spy_on_targets(model, monkeypatch, images, False)
    assert not torch.allclose(target, images, atol=0.01)
    assert (target - made).square().mean() < (images - made).square().mean()
    expected = fit_contrast(images, made)(images)
    torch.testing.assert_close(target, expected)


@pytest.mark.parametrize("seen", [True, False])
def test_structure_is_sought_in_the_scan_as_it_is(model, monkeypatch, seen):
    images = smooth_images(3)
    target, weights = spy_on_targets(model, monkeypatch, images, seen, "structure")
    assert torch.equal(target, images)
    assert weights == STRUCTURE


@pytest.mark.parametrize("seen", [True, False])
def test_auto_is_appearance(model, monkeypatch, seen):
    images = smooth_images(3)
    (one, weights), (other, same) = (
        spy_on_targets(model, monkeypatch, images, seen, objective) for objective in ("auto", "appearance")
    )
    assert torch.equal(one, other)
    assert weights == same == APPEARANCE


def test_one_curve_serves_the_whole_scan(model, monkeypatch):
    """Pixels of one intensity get one intensity in all slices, also where slices are in different chunks."""
    monkeypatch.setattr(module, "CHUNK_PIXELS", 32 * 32)
    images = smooth_images(3).mul(4).round().div(4)
    target, _ = spy_on_targets(model, monkeypatch, images, False)
    for value in images.unique():
        assert target[images == value].unique().numel() == 1


def test_the_reconstruction_of_an_unseen_modality_is_shown_in_its_own_contrast(model):
    images = smooth_images(3)
    made, _ = without_noise(model, images)
    shown = predict(model, images, 0, False).reconstruction
    assert (shown - images).square().mean() < (made - images).square().mean()


def test_the_model_is_frozen(model):
    assert not any(weight.requires_grad for weight in model.parameters())
