"""The second stage: what the encoder is shown, and what it learns from."""

import pytest
import torch
from learning_scenes import differing, encoder_stage

PARTS = ("code", "image", "feature", "label")


def lesson(stage):
    torch.manual_seed(2)
    return stage._draw_lesson()


def test_a_lesson_holds_generated_labelled_and_unlabelled_slices():
    stage = encoder_stage(batch=8)
    drawn = lesson(stage)
    assert drawn.images.shape == (8, 1, 32, 32)
    assert drawn.codes.shape == (4, stage.frozen[0].shape.n_layers, 16)
    assert drawn.labels.shape == (6, 3, 32, 32)  # of the generated and of the two labelled
    assert drawn.images.abs().max() <= 1
    torch.testing.assert_close(drawn.labels.sum(dim=1), torch.ones(6, 32, 32))


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_the_loss_teaches_the_encoder(part):
    stage = encoder_stage(randomize=0.0, **{f"{name}_weight": float(name == part) for name in PARTS})
    loss, figures = stage.objective(lesson(stage))
    assert loss.item() == pytest.approx(figures[part])
    loss.backward()
    assert all(weight.grad.abs().sum() > 0 for weight in stage.encoder.parameters())


def test_unlabelled_slices_teach_nothing_about_labels():
    stage = encoder_stage(batch=8, randomize=0.0, code_weight=0.0, image_weight=0.0, feature_weight=0.0)
    drawn = lesson(stage)
    torch.manual_seed(0)
    before = stage.objective(drawn)[1]["label"]
    drawn.images[6:] = drawn.images[6:].flip(-1)  # the unlabelled ones come last
    torch.manual_seed(0)
    assert stage.objective(drawn)[1]["label"] == pytest.approx(before)
    drawn.images[4:6] = drawn.images[4:6].flip(-1) * 0.5  # the labelled ones
    torch.manual_seed(0)
    assert stage.objective(drawn)[1]["label"] != pytest.approx(before, rel=1e-7)


def test_the_generator_and_the_critic_stay_as_they_are():
    stage = encoder_stage()
    frozen = [{name: t.clone() for name, t in part.state_dict().items()} for part in stage.frozen]
    for nimg in (0, 4):
        torch.manual_seed(nimg)
        stage.step(nimg, 0.5)
    for before, part in zip(frozen, stage.frozen, strict=True):
        assert differing(before, part.state_dict()) == []
    assert all(name.startswith("encoder.") for name in stage.state_dict())


def test_the_rate_warms_up_and_falls():
    stage = encoder_stage(learning_rate=1e-3)
    rates = []
    for progress in (0.0, 0.02, 0.5, 0.99):
        torch.manual_seed(0)
        stage.step(0, progress)
        rates.append(stage.optimizers["encoder"].param_groups[0]["lr"])
    assert rates[0] == pytest.approx(5e-5)
    assert rates[1] == pytest.approx(1e-3, rel=0.01)
    assert rates[2] == pytest.approx(5e-4)
    assert rates[3] < 1e-5


def test_some_steps_bring_the_codes_of_generated_images_closer():
    stage = encoder_stage(batch=8, randomize=0.0, learning_rate=3e-3)
    before = stage.objective(lesson(stage))[1]
    for step in range(25):
        torch.manual_seed(step)
        stage.step(step * 8, 0.3)
    after = stage.objective(lesson(stage))[1]
    assert after["code"] < before["code"]
    assert after["label"] < before["label"]
