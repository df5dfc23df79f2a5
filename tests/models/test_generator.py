"""Sizes, noise, codes and skip sums of the joint generator."""

from dataclasses import replace

import pytest
import torch
from learning_scenes import SHAPE

from medsegan.models import Generator, Shape
from medsegan.ops import upsample2d


def seeded(shape=SHAPE):
    torch.manual_seed(0)
    generator = Generator(shape)
    with torch.no_grad():
        for name, weight in generator.named_parameters():
            if name.endswith("noise_strength"):
                weight.fill_(0.3)
    return generator


def fixed_noise(generator, count=1, seed=3):
    rng = torch.Generator().manual_seed(seed)
    return [torch.randn(count, 1, h, w, generator=rng) for h, w in generator.noise_shapes()]


@pytest.mark.parametrize(
    ("size", "channels", "classes"), [(32, 1, 2), (32, 3, 6), (64, 2, 4), (64, 1, 6), (128, 3, 2), (128, 1, 5)]
)
def test_output_shapes(size, channels, classes):
    generator = seeded(replace(SHAPE, size=size, image_channels=channels, n_classes=classes))
    images, logits = generator(generator.mix(torch.randn(2, 16), 0.5))
    assert images.shape == (2, channels, size, size)
    assert logits.shape == (2, classes, size, size)
    assert images.isfinite().all()
    assert logits.isfinite().all()


def test_the_sizes_of_a_shape():
    shape = Shape(256, 1, 5, 512, 8, 32768, 512)
    assert shape.resolutions == (4, 8, 16, 32, 64, 128, 256)
    assert shape.n_layers == 14  # the 14 codes of the paper at 256 pixels
    assert [shape.channels(r) for r in (4, 64, 128, 256)] == [512, 512, 256, 128]


def test_a_layer_never_has_no_channels():
    assert replace(SHAPE, channel_base=128).channels(256) == 1


def test_given_noise_makes_the_output_deterministic_and_fresh_noise_does_not():
    generator = seeded()
    codes = generator.mix(torch.randn(2, 16), 0.0)
    noise = fixed_noise(generator, 2)
    assert len(noise) == 2 * len(SHAPE.resolutions) - 1
    first, second = generator(codes, noise), generator(codes, noise)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(generator(codes)[0], generator(codes)[0])
    torch.manual_seed(5)
    drawn = generator(codes)[0]
    torch.manual_seed(5)
    assert torch.equal(drawn, generator(codes)[0])


def test_every_noise_map_and_every_code_reaches_the_output():
    generator = seeded()
    codes = generator.mix(torch.randn(1, 16), 0.0).clone().requires_grad_()
    noise = [n.requires_grad_() for n in fixed_noise(generator)]
    images, logits = generator(codes, noise)
    for output in (images, logits):
        by_code, *by_noise = torch.autograd.grad(output.square().sum(), [codes, *noise], retain_graph=True)
        assert (by_code.abs().sum(dim=2) > 0).all()
        assert all(gradient.abs().sum() > 0 for gradient in by_noise)


def test_images_and_labels_are_sums_of_upsampled_skips():
    """Without the last two heads, the output is that of the resolution below, upsampled."""
    generator = seeded()
    noise = fixed_noise(generator)
    codes = generator.mix(torch.randn(1, 16), 0.0)
    small = Generator(replace(SHAPE, size=16))
    weights = generator.state_dict()
    small.load_state_dict({name: weights[name] for name in small.state_dict()})
    with torch.no_grad():
        for head in (generator.levels[-1].to_image, generator.levels[-1].to_label):
            head.conv.weight.zero_()
            head.bias.zero_()
    for whole, below in zip(generator(codes, noise), small(codes[:, :-2], noise[:-2]), strict=True):
        torch.testing.assert_close(whole, upsample2d(below))


def test_no_mixing_uses_one_code_everywhere():
    generator = seeded()
    z = torch.randn(5, 16)
    codes = generator.mix(z, 0.0)
    assert torch.equal(codes, generator.mapping(z)[:, None].expand(-1, SHAPE.n_layers, -1))


def test_mixing_takes_fine_layers_from_another_sample():
    generator = seeded()
    z = torch.randn(64, 16)
    w = generator.mapping(z)
    codes = generator.mix(z, 1.0)
    is_own = (codes == w[:, None]).all(dim=2)
    is_next = (codes == w.roll(1, dims=0)[:, None]).all(dim=2)
    assert (is_own ^ is_next).all()
    assert is_own[:, 0].all()
    assert is_next[:, -1].all()
    assert (is_own[:, :-1] >= is_own[:, 1:]).all()  # one crossover: own codes, then the other's
    assert is_own.sum(dim=1).unique().numel() > 3


def test_mixing_happens_with_its_probability():
    generator = seeded()
    w = generator.mapping(z := torch.randn(2000, 16))
    share = (generator.mix(z, 0.3)[:, -1] != w).any(dim=1).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.05)


def test_the_mapping_ignores_the_length_of_z():
    generator = seeded()
    z = torch.randn(3, 16)
    torch.testing.assert_close(generator.mapping(z), generator.mapping(7 * z), rtol=1e-4, atol=1e-6)
