"""The encoder at every size, starting at the mean latent."""

from dataclasses import replace

import pytest
import torch
from learning_scenes import SHAPE

from medsegan.models import Encoder, Generator


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (32, 3), (64, 2), (128, 1), (256, 1)])
def test_codes_fit_the_generator_at_every_size(size, channels):
    shape = replace(SHAPE, size=size, image_channels=channels)
    codes = Encoder(shape, 16)(torch.randn(2, channels, size, size))
    assert codes.shape == (2, shape.n_layers, shape.latent_width)
    assert Generator(shape)(codes)[0].shape == (2, channels, size, size)


def test_codes_start_at_the_mean_latent():
    torch.manual_seed(0)
    encoder = Encoder(SHAPE, 16)
    encoder.w_mean.copy_(torch.randn(16) * 3)
    codes = encoder(torch.randn(4, 1, 32, 32))
    assert (codes - encoder.w_mean).abs().mean() < 0.1 < encoder.w_mean.abs().mean()
    assert (codes - encoder.w_mean).abs().max() > 0
    assert "w_mean" in encoder.state_dict()


def test_samples_do_not_share_a_code():
    """The official heads reshape over batch and place, which mixes samples at other sizes than 256."""
    torch.manual_seed(0)
    encoder = Encoder(replace(SHAPE, size=64), 16).double()
    images = torch.randn(3, 1, 64, 64, dtype=torch.float64)
    alone = torch.cat([encoder(images[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(encoder(images), alone)


def test_every_weight_learns():
    torch.manual_seed(0)
    encoder = Encoder(SHAPE, 16)
    encoder(torch.randn(2, 1, 32, 32)).square().sum().backward()
    assert [name for name, weight in encoder.named_parameters() if weight.grad is None] == []
    assert all(weight.grad.abs().sum() > 0 for weight in encoder.parameters())
