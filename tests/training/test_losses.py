"""The losses as pure functions, against what they are known to be."""

import math

import pytest
import torch
import torch.nn.functional as F
from learning_scenes import SHAPE

from medsegan.models import ImageCritic, JointCritic
from medsegan.training import losses


@pytest.mark.parametrize("count", [2, 4, 16])
def test_r1_is_per_sample(count):
    """A batch of equal samples is penalised as one sample is; the official code divides by the batch twice."""
    torch.manual_seed(0)
    critic = JointCritic(SHAPE, 4)
    image, label = torch.randn(1, 1, 32, 32), torch.rand(1, 3, 32, 32)

    def penalty(n):
        inputs = [x.expand(n, -1, -1, -1).clone().requires_grad_() for x in (image, label)]
        return losses.r1_penalty(losses.mean_logits(critic(*inputs)[0]), inputs).item()

    assert penalty(1) > 0
    assert penalty(count) == pytest.approx(penalty(1), rel=1e-4)


@pytest.mark.parametrize("count", [2, 16])
def test_r1_of_the_image_critic_is_per_sample(count):
    torch.manual_seed(0)
    critic, image = ImageCritic(SHAPE), torch.randn(1, 1, 32, 32)

    def penalty(n):
        x = image.expand(n, -1, -1, -1).clone().requires_grad_()
        return losses.r1_penalty(critic(x), [x]).item()

    assert penalty(1) > 0
    assert penalty(count) == pytest.approx(penalty(1), rel=1e-3)


def test_r1_of_a_linear_critic_is_half_the_square_of_its_weights():
    weights = torch.tensor([3.0, 4.0])
    x, y = torch.randn(5, 2, requires_grad=True), torch.randn(5, 1, requires_grad=True)
    assert losses.r1_penalty(x @ weights + 2 * y[:, 0], [x, y]).item() == pytest.approx((25 + 4) / 2)


def test_r1_has_a_gradient_for_the_weights():
    weight = torch.tensor([3.0], requires_grad=True)
    x = torch.randn(4, 1, requires_grad=True)
    losses.r1_penalty(x @ weight, [x]).backward()
    assert weight.grad.item() == pytest.approx(3.0)  # d/da of a^2 / 2


def test_path_length_of_a_linear_generator():
    """For images = a x codes, pixel by pixel, a step of unit length moves the image by a."""
    side, a = 24, 2.5
    codes = torch.randn(3, 1, side * side, requires_grad=True)
    images = a * codes.view(3, 1, side, side)
    torch.manual_seed(4)
    lengths = losses.path_lengths(images, codes)
    torch.manual_seed(4)
    direction = torch.randn_like(images) / side
    torch.testing.assert_close(lengths, a * direction.flatten(1).norm(dim=1))
    assert lengths.mean().item() == pytest.approx(a, rel=0.05)


def test_path_length_is_the_root_mean_square_over_layers():
    side = 16
    codes = torch.randn(2, 2, side * side, requires_grad=True)
    images = (3 * codes[:, 0] + 4 * codes[:, 1]).view(2, 1, side, side)
    assert losses.path_lengths(images, codes).mean().item() == pytest.approx(math.sqrt(12.5), rel=0.1)


def test_logistic_losses():
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 0.0])
    expected = -F.logsigmoid(real).mean() - torch.log(1 - torch.sigmoid(fake)).mean()
    torch.testing.assert_close(losses.critic_loss(real, fake), expected)
    torch.testing.assert_close(losses.generator_loss(fake), -F.logsigmoid(fake).mean())
    assert losses.generator_loss(torch.tensor([5.0])) < losses.generator_loss(torch.tensor([-5.0]))


def test_feature_matching_compares_means_and_teaches_only_the_fake():
    real, fake = (torch.randn(4, 3, 2, 2, requires_grad=True) for _ in range(2))
    loss = losses.feature_matching([fake], [real])
    torch.testing.assert_close(loss, (fake.mean(dim=0) - real.mean(dim=0)).abs().mean())
    loss.backward()
    assert real.grad is None
    assert fake.grad.abs().sum() > 0
    assert losses.feature_matching([fake.flip(0)], [fake]).item() == pytest.approx(0, abs=1e-6)


def test_cross_entropy_is_that_of_torch_for_hard_labels():
    logits, labels = torch.randn(2, 4, 5, 5), torch.randint(4, (2, 5, 5))
    one_hot = F.one_hot(labels, 4).permute(0, 3, 1, 2).float()
    torch.testing.assert_close(losses.cross_entropy(logits, one_hot), F.cross_entropy(logits, labels))


def test_dice_loss_of_right_wrong_and_absent():
    labels = torch.zeros(2, 8, 8, dtype=torch.long)
    labels[:, :4] = 1
    right = F.one_hot(labels, 3).permute(0, 3, 1, 2).float()
    wrong = right[:, [1, 0, 2]]
    assert losses.dice_loss(right, right).item() == pytest.approx(0, abs=1e-6)  # class 2 is absent from both
    assert losses.dice_loss(wrong, right).item() == pytest.approx(0.5, abs=0.01)
    assert losses.dice_loss(right * 0.5, right).item() == pytest.approx(
        0.1, abs=0.01
    )  # 1 - 1 / 1.25, of one class


def test_perceptual_distance_ignores_the_strength_of_features():
    a, b = torch.randn(2, 5, 4, 4), torch.randn(2, 5, 4, 4)
    torch.testing.assert_close(losses.perceptual_distance([a], [3 * a]), torch.zeros(2), rtol=0, atol=1e-6)
    torch.testing.assert_close(losses.perceptual_distance([a], [-a]), torch.full((2,), 4.0))
    alone = losses.perceptual_distance([a[:1]], [b[:1]])
    torch.testing.assert_close(losses.perceptual_distance([a], [b])[:1], alone)


def test_a_convincing_patch_does_not_excuse_an_impossible_one():
    torn, even = torch.tensor([[5.0, -5.0]]), torch.zeros(1, 2)
    assert losses.mean_logits([torn]) == losses.mean_logits([even])
    assert losses.generator_loss(torn) > 2 * losses.generator_loss(even)
    assert losses.critic_loss(torn, torn) > 2 * losses.critic_loss(even, even)
