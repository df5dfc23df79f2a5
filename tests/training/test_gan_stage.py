"""One step of the first stage: who learns from what."""

import pytest
import torch
from learning_scenes import differing, gan_stage, training_state

from medsegan.training import gan
from medsegan.training.seeding import seed_step


def after_steps(count, nimg=0, **changes):
    stage = gan_stage(**changes)
    for _ in range(count):
        seed_step(0, 0, "gan", nimg)
        stage.step(nimg, 0.0)
        nimg += stage.batch
    return stage


def changed_parts(one, other):
    return {name.split(".")[0] for name in differing(one.state_dict(), other.state_dict())}


def test_r1_changes_the_weights_of_both_critics():
    """In the official code, R1 of the image critic runs while its weights are frozen, and does nothing."""
    without, with_r1 = after_steps(1, r1_gamma=0.0), after_steps(1, r1_gamma=10.0)
    parts = changed_parts(without, with_r1)
    assert "image_critic" in parts
    assert "joint_critic" in parts


def test_r1_alone_moves_every_weight_that_a_critic_uses_for_real_samples(monkeypatch):
    """With the logistic loss taken away, all that is left to move the critics is R1."""
    monkeypatch.setattr(gan.losses, "critic_loss", lambda real, fake: (real.sum() + fake.sum()) * 0.0)
    before, after = gan_stage(), after_steps(1, r1_gamma=10.0)
    moved = differing(before.state_dict(), after.state_dict())
    for name in ("image_critic.entry.weight", "image_critic.last.weight", "image_critic.logit.weight"):
        assert name in moved
    for scale in range(3):
        assert f"joint_critic.scales.{scale}.layers.0.weight" in moved
        assert f"joint_critic.scales.{scale}.logit.weight" in moved


def test_r1_is_lazy():
    stage = gan_stage(r1_every=3)
    logged = []
    for step in range(7):
        seed_step(0, 0, "gan", step * 4)
        logged.append("image_r1" in stage.step(step * 4, 0.0))
    assert logged == [True, False, False, True, False, False, True]


def split_objective(stage, *, image_critic):
    """Gradients of what the generator minimises, from one critic alone: the other's logits are made constant."""
    torch.manual_seed(1)
    fakes = stage._generate(torch.randn(4, 16))
    _, features = stage._critic_step(fakes, use_r1=False)
    silent = stage.joint_critic if image_critic else stage.image_critic

    def silence(module, inputs, output):
        if isinstance(output, tuple):
            return tuple([x * 0.0 for x in part] for part in output)
        return output * 0.0

    hook = silent.register_forward_hook(silence)
    stage.generator.zero_grad(set_to_none=True)
    stage.generator_objective(fakes, features)[0].backward()
    hook.remove()
    return {
        name: 0.0 if p.grad is None else p.grad.abs().sum().item()
        for name, p in stage.generator.named_parameters()
    }


@pytest.mark.parametrize("probability", [0.0, 0.9])
def test_the_joint_critic_teaches_the_label_head_and_never_the_image_head(probability):
    gradients = split_objective(gan_stage(ada_joint_start=probability), image_critic=False)
    assert {name for name, size in gradients.items() if ".to_image." in name and size > 0} == set()
    label = {name: size for name, size in gradients.items() if ".to_label." in name}
    assert len(label) == 4 * 4
    assert all(size > 0 for size in label.values())
    assert gradients["levels.0.convs.0.conv.weight"] > 0  # the trunk learns from both


def test_the_image_critic_teaches_the_image_head_and_never_the_label_head():
    gradients = split_objective(gan_stage(), image_critic=True)
    assert {name for name, size in gradients.items() if ".to_label." in name and size > 0} == set()
    assert all(size > 0 for name, size in gradients.items() if ".to_image." in name)


def test_the_generators_step_leaves_the_critics_alone():
    stage = gan_stage()
    torch.manual_seed(1)
    fakes = stage._generate(torch.randn(4, 16))
    _, features = stage._critic_step(fakes, use_r1=False)
    before = training_state(stage)
    for critic in (stage.image_critic, stage.joint_critic):
        critic.zero_grad(set_to_none=True)
    stage._generator_step(fakes, features)
    assert all(name.startswith("generator") for name in differing(before, training_state_of_known(stage, before)))
    for critic in (stage.image_critic, stage.joint_critic):
        assert all(weight.grad is None and weight.requires_grad for weight in critic.parameters())


def training_state_of_known(stage, known):
    """The state without what the generator's optimiser has only just begun to remember."""
    return {name: tensor for name, tensor in training_state(stage).items() if name in known}


def test_the_critics_step_leaves_the_generator_alone():
    stage = gan_stage()
    torch.manual_seed(1)
    fakes = stage._generate(torch.randn(4, 16))
    before = {name: tensor.clone() for name, tensor in stage.generator.state_dict().items()}
    stage._critic_step(fakes, use_r1=True)
    assert differing(before, stage.generator.state_dict()) == []
    assert all(weight.grad is None for weight in stage.generator.parameters())


def test_a_step_changes_every_part():
    before, after = gan_stage(), after_steps(2)
    parts = changed_parts(before, after)
    assert {"generator", "average", "image_critic", "joint_critic", "path_mean", "joint_control"} <= parts
    assert (after.generator.w_mean != 0).all()
    assert torch.equal(after.average.w_mean, after.generator.w_mean)


def test_path_length_moves_the_generator():
    parts = changed_parts(after_steps(1, path_length_weight=0.0), after_steps(1, path_length_weight=2.0))
    assert "generator" in parts
    assert "path_mean" in parts
    assert "image_critic" not in parts


def test_feature_matching_can_be_weighted():
    assert "generator" in changed_parts(after_steps(1, feature_matching=0.0), after_steps(1, feature_matching=2.0))


@pytest.mark.parametrize(("asked", "gamma"), [(None, 0.0002 * 32**2 / 4), (0.0, 0.0), (3.0, 3.0)])
def test_the_weight_of_r1(asked, gamma):
    assert gan_stage(r1_gamma=asked).gamma == pytest.approx(gamma)


def test_samples_are_those_of_the_average():
    stage = after_steps(2)
    torch.manual_seed(0)
    fakes = stage.samples(3)
    assert fakes.images.shape == (3, 1, 32, 32)
    torch.testing.assert_close(fakes.labels.sum(dim=1), torch.ones(3, 32, 32))
    assert not fakes.images.requires_grad
