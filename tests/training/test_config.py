"""Presets, settings and the file that a run keeps."""

import pytest
from pydantic import ValidationError

from medsegan.errors import UsageError
from medsegan.models import Encoder, Generator
from medsegan.training.config import PRESETS, TrainConfig, resolve_config


def resolve(*settings, preset="tiny", lengths=None):
    return resolve_config("gan", preset, 0, settings, lengths or {})


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", ["gan", "unet"])
def test_presets_are_valid_and_keep_their_rows(preset, method):
    config = resolve_config(method, preset, 3, (), {})
    assert (config.method, config.preset, config.seed) == (method, preset, 3)
    for section, row in PRESETS[preset].items():
        for field, value in row.items():
            assert getattr(getattr(config, section), field) == value


def test_the_tiny_preset_builds():
    config = resolve(preset="tiny")
    shape = config.generator.shape(64, 5)
    assert shape.n_classes == 5
    assert Generator(shape).w_mean.shape == (64,)
    assert len(Encoder(shape, config.encoder.width).heads) == shape.n_layers


def test_the_widths_of_the_paper():
    shape = resolve(preset="paper256").generator.shape(256, 2)
    assert [shape.channels(r) for r in shape.resolutions] == [512, 512, 512, 512, 512, 256, 128]
    assert (shape.latent_width, shape.mapping_layers, shape.n_layers) == (512, 8, 14)


@pytest.mark.parametrize("preset", PRESETS)
def test_toml_keeps_everything(preset):
    config = resolve("gan.r1_gamma=0.25", "unet.channels=[8, 16]", preset=preset)
    assert TrainConfig.from_toml(config.to_toml()) == config
    plain = resolve(preset=preset)
    assert plain.gan.r1_gamma is None
    assert TrainConfig.from_toml(plain.to_toml()) == plain


def test_settings_beat_the_preset_and_flags_beat_both():
    config = resolve("gan.batch = 8", "gan.images=5", "encoder.perceptual_file=vgg.safetensors",
                     lengths={"gan": {"images": 7}})  # fmt: skip
    assert config.gan.batch == 8
    assert config.gan.images == 7
    assert config.encoder.perceptual_file == "vgg.safetensors"
    assert config.gan.joint_width == PRESETS["tiny"]["gan"]["joint_width"]


@pytest.mark.parametrize(
    ("setting", "field"),
    [
        ("gan.batch=1", "gan.batch"),
        ("gan.batch=many", "gan.batch"),
        ("gan.learning_rate=0", "gan.learning_rate"),
        ("gan.nonsense=1", "gan.nonsense"),
        ("nonsense.batch=1", "nonsense"),
        ("generator.latent_width=2", "generator.latent_width"),
        ("encoder.generated_share=1.0", "encoder.generated_share"),
        ("encoder.width=36", "encoder.width"),
        ("unet.channels=3", "unet.channels"),
        ("seed.x=1", "seed"),
    ],
)
def test_an_error_names_the_field_and_the_value(setting, field):
    with pytest.raises(UsageError, match=f"--set {field}: ") as caught:
        resolve(setting)
    assert "got" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("setting", ["gan.batch", "batch=3", "=3", ".batch=3", "gan.=3", ""])
def test_a_setting_of_another_form_is_explained(setting):
    with pytest.raises(UsageError, match=r"section\.field=value"):
        resolve(setting)


def test_an_unknown_preset_names_those_that_exist():
    with pytest.raises(UsageError, match=r"'huge'.*tiny, small, base, paper256"):
        resolve(preset="huge")


def test_a_configuration_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        resolve().gan.batch = 3
