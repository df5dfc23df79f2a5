"""The supervised yardstick: it learns from labelled slices, with honest augmentation."""

import pytest
import torch
from learning_scenes import labeled_discs, unet_stage

from medsegan.methods import UnetPredictor, build_unet, unet
from medsegan.training.config import UnetConfig


@pytest.mark.parametrize(("size", "classes", "count"), [(32, 2, 1), (64, 6, 3), (128, 3, 2)])
def test_the_prediction_fits_the_slices(size, classes, count):
    torch.manual_seed(0)
    predictor = UnetPredictor(build_unet(UnetConfig(channels=(4, 8, 8)), classes))
    found = predictor.predict(
        torch.randn(count, 1, size, size), steps=5, seen_modality=False, on_progress=lambda n: None
    )
    assert found.probabilities.shape == (count, classes, size, size)
    assert found.probabilities.dtype == torch.float32
    torch.testing.assert_close(found.probabilities.sum(dim=1), torch.ones(count, size, size))
    assert found.reconstruction is None


def test_chunks_equal_the_whole_and_are_reported(monkeypatch):
    torch.manual_seed(0)
    predictor, images = UnetPredictor(build_unet(UnetConfig(channels=(4, 8)), 3)), torch.randn(5, 1, 32, 32)
    whole = predictor.predict(images, steps=0, seen_modality=True, on_progress=lambda n: None)
    monkeypatch.setattr(unet, "CHUNK", 2)
    progress = []
    pieces = predictor.predict(images, steps=0, seen_modality=True, on_progress=progress.append)
    torch.testing.assert_close(pieces.probabilities, whole.probabilities, rtol=0, atol=1e-5)
    assert progress == [2, 4, 5]


def test_it_learns_a_toy_set():
    stage = unet_stage(channels=(8, 16), batch=8, learning_rate=1e-2)
    figures = []
    for step in range(60):
        torch.manual_seed(step)
        figures.append(stage.step(step * 8, step / 60))
    first, last = (sum(f["cross_entropy"] + f["dice"] for f in part) for part in (figures[:5], figures[-5:]))
    assert last < 0.5 * first
    slices = labeled_discs()
    torch.manual_seed(0)
    images, labels = slices.draw(6)
    found = UnetPredictor(stage.network).predict(images, steps=0, seen_modality=True, on_progress=lambda n: None)
    guess, truth = found.probabilities.argmax(dim=1), labels.argmax(dim=1)
    for k in (1, 2):
        overlap = ((guess == k) & (truth == k)).sum() * 2 / ((guess == k).sum() + (truth == k).sum())
        assert overlap > 0.5


def test_the_rate_falls_along_a_cosine():
    stage = unet_stage(learning_rate=1e-3)
    rates = []
    for progress in (0.0, 0.5, 1.0):
        torch.manual_seed(0)
        stage.step(0, progress)
        rates.append(stage.optimizers["unet"].param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 5e-4, 1e-6])


def test_images_and_labels_are_moved_alike(monkeypatch):
    seen = []
    monkeypatch.setattr(unet, "augment_intensity", lambda image: image)
    stage = unet_stage()
    slices = stage.labeled
    slices.images.copy_((slices.labels == 1)[:, None].short() * 400 - 125)  # an image that shows its label
    stage.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    truth = []
    original = unet.cross_entropy
    monkeypatch.setattr(
        unet, "cross_entropy", lambda logits, label: truth.append(label) or original(logits, label)
    )
    torch.manual_seed(0)
    stage.step(0, 0.0)
    torch.testing.assert_close((seen[0] + 1) / 2, truth[0][:, 1:2], rtol=0, atol=1e-5)
    assert truth[0].frac().abs().sum() > 0  # it was moved: edges lie between pixels


def test_intensity_is_augmented_mildly_and_by_the_seed():
    torch.manual_seed(0)
    images = labeled_discs().draw(6)[0].repeat(20, 1, 1, 1)
    torch.manual_seed(1)
    one = unet.augment_intensity(images)
    torch.manual_seed(1)
    assert torch.equal(one, unet.augment_intensity(images))
    changed = ((one - images).abs() > 1e-3).flatten(1).any(dim=1).float().mean().item()
    assert 0.3 < changed < 0.95
    # Honest, but no random curves: dark and bright stay dark and bright.
    correlation = [
        torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] for a, b in zip(one, images, strict=True)
    ]
    assert min(correlation) > 0.8
