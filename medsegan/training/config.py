"""What a training run is made of: frozen models, and the presets as rows of one table."""

import tomllib
from typing import Any, Literal, Self

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UsageError
from ..models import Shape


class Frozen(BaseModel):
    """A configuration that cannot change after it was made and refuses fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GeneratorConfig(Frozen):
    """Sizes of the generator; `Shape` explains the fields."""

    latent_width: int = Field(512, ge=8)
    mapping_layers: int = Field(8, ge=1)
    channel_base: int = Field(32768, ge=128)
    channel_max: int = Field(512, ge=8)

    def shape(self, size: int, n_classes: int) -> Shape:
        """The generator's sizes for grey images of a size."""
        return Shape(
            size,
            1,
            n_classes,
            self.latent_width,
            self.mapping_layers,
            self.channel_base,
            self.channel_max,
        )


class GanConfig(Frozen):
    """The first stage: generator and critics. Counts are in images."""

    images: int = Field(1_000_000, ge=1)
    batch: int = Field(16, ge=2)
    learning_rate: float = Field(0.002, gt=0)
    style_mixing: float = Field(0.9, ge=0, le=1)
    joint_width: int = Field(64, ge=4)
    joint_weight: float = Field(1.0, ge=0)
    feature_matching: float = Field(2.0, ge=0)
    r1_gamma: float | None = Field(None, ge=0, description="None: 0.0002 x pixels / batch")
    r1_every: int = Field(16, ge=1)
    path_length_weight: float = Field(2.0, ge=0)
    path_length_every: int = Field(8, ge=1)
    ada_target: float = Field(0.6, ge=0, le=1)
    ada_images: int = Field(500_000, ge=1, description="images over which p may rise from 0 to 1")
    ada_start: float = Field(0.0, ge=0, le=1)
    ada_joint_start: float = Field(0.2, ge=0, le=1)
    average_half_life: int = Field(10_000, ge=1)
    average_rampup: float = Field(0.05, gt=0)


class EncoderConfig(Frozen):
    """The second stage: the encoder, with the generator frozen. Counts are in images."""

    images: int = Field(200_000, ge=1)
    batch: int = Field(16, ge=4)
    width: int = Field(256, ge=16, multiple_of=8)
    learning_rate: float = Field(1e-3, gt=0)
    generated_share: float = Field(0.5, gt=0, lt=1)
    code_weight: float = Field(0.2, ge=0)
    image_weight: float = Field(1.0, ge=0)
    feature_weight: float = Field(1.0, ge=0)
    label_weight: float = Field(1.0, ge=0)
    randomize: float = Field(0.8, ge=0, le=1)
    gradient_clip: float = Field(5.0, gt=0)
    perceptual_file: str | None = None


class UnetConfig(Frozen):
    """The supervised yardstick. Counts are in images."""

    images: int = Field(200_000, ge=1)
    batch: int = Field(16, ge=2)
    channels: tuple[int, ...] = (32, 64, 128, 256)
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)


class TrainConfig(Frozen):
    """Everything that decides a run, kept with the run and in the model."""

    method: Literal["gan", "unet"] = "gan"
    preset: str = "small"
    seed: int = 0
    generator: GeneratorConfig = GeneratorConfig()
    gan: GanConfig = GanConfig()
    encoder: EncoderConfig = EncoderConfig()
    unet: UnetConfig = UnetConfig()

    def to_toml(self) -> str:
        """The configuration as TOML; fields without a value are left out."""
        return tomlkit.dumps(self.model_dump(mode="json", exclude_none=True))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The configuration that `to_toml` wrote."""
        return cls.model_validate(tomllib.loads(text))


Row = dict[str, dict[str, Any]]

PRESETS: dict[str, Row] = {
    # minutes on two CPU cores at 32 to 64 pixels
    "tiny": {
        "generator": {"latent_width": 64, "mapping_layers": 3, "channel_base": 768, "channel_max": 64},
        "gan": {
            "images": 40_000,
            "learning_rate": 0.003,
            "joint_width": 24,
            "path_length_every": 16,
            "ada_images": 40_000,
            "average_half_life": 4_000,
        },
        "encoder": {"images": 40_000, "width": 64, "learning_rate": 2e-3, "randomize": 0.6},
        "unet": {"images": 12_000, "channels": (16, 32, 64, 128)},
    },
    # an hour or a few on one GPU at 128 pixels
    "small": {
        "generator": {"latent_width": 256, "mapping_layers": 4, "channel_base": 8192, "channel_max": 256},
        "gan": {"images": 600_000, "ada_images": 200_000},
        "encoder": {"images": 150_000, "width": 128},
    },
    # a day on one GPU at 256 pixels
    "base": {
        "generator": {"latent_width": 512, "mapping_layers": 8, "channel_base": 16384, "channel_max": 512},
        "gan": {"images": 2_000_000},
        "encoder": {"images": 300_000},
    },
    # the widths and the length of the paper (Li et al., CVPR 2021; 800,000 steps of 16 images)
    "paper256": {
        "generator": {"latent_width": 512, "mapping_layers": 8, "channel_base": 32768, "channel_max": 512},
        "gan": {"images": 12_800_000, "path_length_every": 4},
        "encoder": {"images": 1_600_000, "width": 512},
    },
}


def resolve_config(
    method: str, preset: str, seed: int, settings: tuple[str, ...], lengths: Row, base: Row | None = None
) -> TrainConfig:
    """A configuration from a preset, `--set section.field=value` settings, and flags that override both.

    Args:
        method: "gan" or "unet".
        preset: a row of `PRESETS`.
        seed: of every random draw.
        settings: "section.field=value", the value in TOML syntax.
        lengths: fields set by flags of their own, by section.
        base: sections to start from in place of the preset's; None = the preset's.

    Raises:
        UsageError: an unknown preset or field, or a value outside its range; the message names the field.
    """
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r}; there are {', '.join(PRESETS)}")
    sections: Row = {name: dict(row) for name, row in (base or PRESETS[preset]).items()}
    for setting in settings:
        section, field, value = _parse_setting(setting)
        sections.setdefault(section, {})[field] = value
    for name, row in lengths.items():
        sections.setdefault(name, {}).update(row)
    try:
        return TrainConfig.model_validate({"method": method, "preset": preset, "seed": seed, **sections})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"--set {where}: {first['msg']} (got {first['input']!r})") from error


def _parse_setting(setting: str) -> tuple[str, str, Any]:
    path, separator, text = setting.partition("=")
    section, dot, field = path.strip().partition(".")
    if not (separator and dot and section and field):
        raise UsageError(f"--set takes section.field=value, such as gan.batch=8; got {setting!r}")
    try:
        return section, field, tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return section, field, text.strip()
