"""Both critics: sizes, independence of samples, minibatch deviation."""

from dataclasses import replace

import pytest
import torch
from learning_scenes import SHAPE

from medsegan.models import ImageCritic, JointCritic
from medsegan.models.critics import minibatch_deviation


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 3), (128, 2)])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_image_critic_gives_one_logit_for_every_image(size, channels, count):
    critic = ImageCritic(replace(SHAPE, size=size, image_channels=channels))
    images = torch.randn(count, channels, size, size)
    assert critic(images).shape == (count,)
    assert [f.shape[-1] for f in critic.features(images)] == [size // 2**i for i in range(len(critic.blocks) + 1)]


@pytest.mark.parametrize(("size", "classes", "coarsest"), [(32, 2, 8), (64, 6, 16), (128, 3, 32)])
def test_joint_critic_gives_logits_for_every_patch_at_every_scale(size, classes, coarsest):
    critic = JointCritic(replace(SHAPE, size=size, n_classes=classes), 4)
    logits, maps = critic(torch.randn(3, 1, size, size), torch.rand(3, classes, size, size))
    assert [scale.shape for scale in logits] == [(3, (coarsest * 4 // 2**i // 8) ** 2) for i in range(3)]
    assert len(maps) == 3 * 4
    assert maps[8].shape[-1] == coarsest  # entry of the third scale


def test_joint_critic_judges_samples_one_by_one():
    torch.manual_seed(0)
    critic = JointCritic(SHAPE, 4)
    image, label = torch.randn(4, 1, 32, 32), torch.rand(4, 3, 32, 32)
    alone = [
        torch.cat(scale)
        for scale in zip(*(critic(image[i : i + 1], label[i : i + 1])[0] for i in range(4)), strict=True)
    ]
    torch.testing.assert_close(critic(image, label)[0], alone, rtol=1e-4, atol=1e-5)


def test_joint_critic_sees_label_and_image():
    torch.manual_seed(0)
    critic = JointCritic(SHAPE, 4)
    image, label = torch.randn(1, 1, 32, 32), torch.rand(1, 3, 32, 32)
    logits = critic(image, label)[0]
    for others in (critic(-image, label)[0], critic(image, label.flip(1))[0]):
        assert not any(torch.equal(one, other) for one, other in zip(logits, others, strict=True))


def test_minibatch_deviation_is_that_of_groups_of_four():
    x = torch.randn(8, 5, 4, 4, generator=torch.Generator().manual_seed(0))
    y = minibatch_deviation(x)
    assert torch.equal(y[:, :5], x)
    for start in (0, 1):  # samples 0, 2, 4, 6 and 1, 3, 5, 7 form the groups
        members = slice(start, None, 2)
        expected = x[members].std(dim=0, unbiased=False).mean()
        torch.testing.assert_close(y[members, 5], expected.expand(4, 4, 4), rtol=1e-4, atol=1e-5)


def test_minibatch_deviation_of_equal_samples_is_nothing():
    x = torch.randn(1, 5, 4, 4).expand(4, -1, -1, -1).contiguous(memory_format=torch.channels_last)
    assert minibatch_deviation(x)[:, 5].abs().max() < 1e-3


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_minibatch_deviation_takes_any_batch(count):
    assert minibatch_deviation(torch.randn(count, 5, 4, 4)).shape == (count, 6, 4, 4)
