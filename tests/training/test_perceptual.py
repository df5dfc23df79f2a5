"""Perceptual distances: from the image critic, or from weights that the user has."""

import pytest
import torch
from learning_scenes import SHAPE, labeled_discs
from safetensors.torch import save_file

from medsegan.errors import InputError, ModelError
from medsegan.models import ImageCritic
from medsegan.training.lpips import STAGES, Lpips
from medsegan.training.perceptual import Perceptual

WIDTHS = (4, 5, 6, 7, 8)


def vgg_weights():
    """Random weights with the names of VGG-16, narrow."""
    torch.manual_seed(0)
    tensors, before = {}, 3
    for stage, width in zip(STAGES, WIDTHS, strict=True):
        for i in stage:
            tensors[f"features.{i}.weight"] = torch.randn(width, before, 3, 3) / (9 * before) ** 0.5
            tensors[f"features.{i}.bias"] = torch.zeros(width)
            before = width
    return tensors


def distances(tmp_path):
    torch.manual_seed(0)
    save_file(vgg_weights(), tmp_path / "vgg.safetensors")
    return Perceptual(ImageCritic(SHAPE)), Lpips(tmp_path / "vgg.safetensors")


def test_nothing_is_as_close_as_the_same_image(tmp_path):
    torch.manual_seed(0)
    image = labeled_discs().draw(3)[0]
    for distance in distances(tmp_path):
        torch.testing.assert_close(distance(image, image), torch.zeros(3), rtol=0, atol=1e-6)
        little, much = distance(image, image + 0.02), distance(image, image.flip(-1))
        assert (little > 0).all()
        assert (much > little).all()
        torch.testing.assert_close(distance(image[:1], image[:1].flip(-1)), much[:1], rtol=1e-3, atol=1e-5)


def test_gradients_reach_the_first_image_and_neither_the_second_nor_the_weights(tmp_path):
    for distance in distances(tmp_path):
        one, other = (torch.randn(2, 1, 32, 32, requires_grad=True) for _ in range(2))
        distance(one, other).sum().backward()
        assert one.grad.abs().sum() > 0
        assert other.grad is None
        assert all(not weight.requires_grad for weight in distance.parameters())


def test_weights_of_channels_count(tmp_path):
    image = torch.randn(2, 1, 32, 32)
    path = tmp_path / "lin.safetensors"
    save_file(vgg_weights() | {f"lin{k}.weight": torch.zeros(1, w, 1, 1) for k, w in enumerate(WIDTHS)}, path)
    assert torch.equal(Lpips(path)(image, -image), torch.zeros(2))


def test_files_that_do_not_serve_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        Lpips(tmp_path / "missing.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelError, match="pickles are refused"):
        Lpips(broken)
    tensors = vgg_weights()
    del tensors["features.28.bias"]
    save_file(tensors, tmp_path / "partial.safetensors")
    with pytest.raises(ModelError, match=r"lacks features\.28\.bias"):
        Lpips(tmp_path / "partial.safetensors")
