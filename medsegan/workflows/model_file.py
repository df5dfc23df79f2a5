"""Finished models on disk: everything that labelling a new scan needs, in one folder."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from ..errors import ModelError
from ..imaging import DEFAULT_WINDOWS, Modality
from ..inversion import Segmenter
from ..methods import UnetPredictor, build_unet
from ..models import Encoder, Generator, ImageCritic, Predictor, read_archive, write_archive
from ..slices import Plane
from ..training.config import TrainConfig
from ..training.perceptual import Perceptual

NAME = "model"
Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class ModelFacts:
    """What a model was made for.

    Args:
        plane, size: how slices were cut.
        class_names, class_values: by class index, background first; the values go into the masks.
        domains: domains it was trained on, each with its modality.
        windows: stored intensities of -1 and 1 by modality.
        patients: hashed ids of the patients whose images were seen.
        in_one_piece: indices of the classes that the labels of the training show in one piece; none for models
            that were trained before this was noted.
        id_key: fingerprint of the key of these ids; those of another key cannot be recognised. "" = no key.
    """

    plane: Plane
    size: int
    class_names: tuple[str, ...]
    class_values: tuple[int, ...]
    domains: dict[str, Modality]
    windows: dict[str, tuple[float, float]]
    patients: tuple[str, ...]
    in_one_piece: tuple[int, ...] = ()
    id_key: str = ""

    @property
    def labels(self) -> dict[str, int]:
        """Name -> value in masks of every class but background."""
        return dict(zip(self.class_names[1:], self.class_values[1:], strict=True))

    def window(self, modality: Modality) -> tuple[float, float]:
        """The window of a modality: that of the training, or the default where it was not seen."""
        return self.windows.get(modality) or DEFAULT_WINDOWS.get(modality, DEFAULT_WINDOWS["mr"])

    def has_seen(self, modality: Modality) -> bool:
        """Whether scans of this modality were in the training."""
        return modality in self.domains.values()


@dataclass(frozen=True)
class TrainedModel:
    """A model that is ready to label slices.

    Args:
        predictor: on its device.
        facts: what it was made for.
        method: "gan" or "unet".
        folder: where it was read.
        digest: SHA-256 of its files, in hex: equal models, equal digests.
    """

    predictor: Predictor
    facts: ModelFacts
    method: str
    folder: Path
    digest: str


def write_model(folder: Path, parts: Mapping[str, nn.Module], config: TrainConfig, facts: ModelFacts) -> None:
    """Write the weights of named parts with the configuration and the facts."""
    tensors = {
        f"{part}/{key}": value for part, module in parts.items() for key, value in module.state_dict().items()
    }
    write_archive(folder, NAME, tensors, {"config": config.model_dump(mode="json"), "facts": asdict(facts)})


def read_model(folder: Path, device: torch.device) -> TrainedModel:
    """The model in a folder, on a device.

    Raises:
        ModelError: it is missing, damaged, a pickle, or of another version.
    """
    tensors, document = read_archive(folder, NAME)
    try:
        config = TrainConfig.model_validate(document["config"])
        facts = _facts(document["facts"])
        predictor = _build(config, facts, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"the model in {folder} does not hold what it should: {reason}; train it again"
        ) from error
    predictor.to(device)
    return TrainedModel(predictor, facts, config.method, folder, _digest(folder))


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for suffix in ("json", "safetensors"):
        with (folder / f"{NAME}.{suffix}").open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _facts(document: dict[str, Any]) -> ModelFacts:
    return ModelFacts(
        plane=document["plane"],
        size=int(document["size"]),
        class_names=tuple(document["class_names"]),
        class_values=tuple(int(value) for value in document["class_values"]),
        domains=dict(document["domains"]),
        windows={name: (float(low), float(high)) for name, (low, high) in document["windows"].items()},
        patients=tuple(document["patients"]),
        in_one_piece=tuple(int(index) for index in document.get("in_one_piece", ())),
        id_key=str(document.get("id_key", "")),
    )


def _build(config: TrainConfig, facts: ModelFacts, tensors: dict[str, torch.Tensor]) -> Segmenter | UnetPredictor:
    n_classes = len(facts.class_names)
    if config.method == "unet":
        return UnetPredictor(_load(build_unet(config.unet, n_classes), tensors, "network"))
    shape = config.generator.shape(facts.size, n_classes)
    generator = _load(Generator(shape), tensors, "generator")
    encoder = _load(Encoder(shape, config.encoder.width), tensors, "encoder")
    critic = _load(ImageCritic(shape), tensors, "image_critic")
    return Segmenter(generator, encoder, Perceptual(critic)).eval()


def _load(module: Module, tensors: dict[str, torch.Tensor], part: str) -> Module:
    prefix = f"{part}/"
    module.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    return module
