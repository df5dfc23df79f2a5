"""Augmentation of pairs: the same geometry for both, intensity for the image alone."""

import pytest
import torch
import torch.nn.functional as F
from learning_scenes import labeled_discs

from medsegan.data import AffineRange, augment, augment_pair, random_affine, warp


def batch(count=16):
    torch.manual_seed(0)
    return labeled_discs().draw(count)


def test_no_probability_returns_the_very_tensors():
    image, label = batch()
    for given in (label, None):
        new_image, new_label = augment_pair(image, given, 0.0)
        assert new_image is image
        assert new_label is given


def test_certainty_changes_every_sample():
    image, label = batch()
    new_image, new_label = augment_pair(image, label, 1.0)
    assert (new_image != image).flatten(1).any(dim=1).all()
    assert (new_label != label).flatten(1).any(dim=1).all()
    alone, nothing = augment_pair(image, None, 1.0)
    assert nothing is None
    assert (alone != image).flatten(1).any(dim=1).all()


def test_a_sample_is_moved_with_the_probability():
    image, label = batch(600)
    _, moved = augment_pair(image, label, 0.3)
    share = (moved != label).flatten(1).any(dim=1).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.06)


def test_image_and_label_move_alike(monkeypatch):
    monkeypatch.setattr(augment, "_augment_intensity", lambda image, probability: image)
    _, label = batch()
    image = label[:, 1:2] * 2 - 1  # an image from which the label can be read
    new_image, new_label = augment_pair(image, label, 1.0)
    torch.testing.assert_close((new_image + 1) / 2, new_label[:, 1:2], rtol=0, atol=1e-5)


def test_intensity_leaves_the_label_alone(monkeypatch):
    monkeypatch.setattr(
        augment, "random_affine", lambda count, limits, device: torch.eye(2, 3).expand(count, 2, 3)
    )
    image, label = batch()
    new_image, new_label = augment_pair(image, label, 1.0)
    torch.testing.assert_close(new_label, label, rtol=0, atol=1e-5)
    assert (new_image - image).abs().mean() > 0.05


def test_labels_stay_probabilities():
    _, label = batch()
    new_label = augment_pair(batch()[0], label, 1.0)[1]
    torch.testing.assert_close(new_label.sum(dim=1), torch.ones(16, 32, 32))
    assert new_label.min() >= 0


def test_gradients_pass_through():
    image, label = batch(4)
    image.requires_grad_()
    label.requires_grad_()
    new_image, new_label = augment_pair(image, label, 1.0)
    for gradient in torch.autograd.grad(new_image.square().sum() + new_label.square().sum(), [image, label]):
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0


def test_no_map_is_a_mirror_image_and_none_goes_too_far():
    torch.manual_seed(0)
    limits = AffineRange(rotation_deg=30.0, scale=1.3, stretch=1.2, shift=0.125)
    theta = random_affine(500, limits, torch.device("cpu"))
    determinant = torch.det(theta[:, :, :2])
    assert determinant.min() >= 1.3**-2 - 1e-5
    assert determinant.max() <= 1.3**2 + 1e-5
    assert determinant.max() - determinant.min() > 0.8
    shift = theta[:, :, 2].abs().max().item()
    assert 0.2 < shift <= 0.25  # of the side, which is 2 long here
    angles = torch.atan2(theta[:, 1, 0], theta[:, 0, 0]).rad2deg().abs().max().item()
    assert 25 < angles <= 30.001


def test_a_range_of_nothing_is_the_identity():
    theta = random_affine(3, AffineRange(0.0, 1.0, 1.0, 0.0), torch.device("cpu"))
    torch.testing.assert_close(theta, torch.eye(2, 3).expand(3, 2, 3))
    image = batch(3)[0]
    torch.testing.assert_close(warp(image, theta), image, rtol=0, atol=1e-5)


def test_a_shift_moves_by_whole_pixels_and_continues_the_edge():
    image = torch.arange(16.0).view(1, 1, 4, 4)
    theta = torch.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])  # a quarter of the side: one pixel of four
    expected = F.pad(image[..., 1:], (0, 1, 0, 0), mode="replicate")
    torch.testing.assert_close(warp(image, theta), expected)
