"""Made-up slices, small shapes and stages for the tests of the learning tower."""

import copy

import torch

from medsegan.data import LabeledSlices, UnlabeledSlices
from medsegan.methods import UnetStage
from medsegan.models import Shape
from medsegan.training.config import EncoderConfig, GanConfig, UnetConfig
from medsegan.training.encoder import EncoderStage
from medsegan.training.gan import GanStage
from medsegan.training.perceptual import Perceptual

# On tensors this small, threads only wait for each other: ten times slower where the cores are busy.
torch.set_num_threads(1)

SHAPE = Shape(
    size=32, image_channels=1, n_classes=3, latent_width=16, mapping_layers=2, channel_base=256, channel_max=16
)
WINDOW = (-125.0, 275.0)
GAN = {"batch": 4, "joint_width": 4, "ada_images": 400, "average_half_life": 50}


def discs(count=6, size=32, seed=0):
    """Stored intensities [N, 1, H, W] int16 and labels [N, H, W] uint8: a bright and a dark disc in a body."""
    rng = torch.Generator().manual_seed(seed)
    axis = torch.arange(size, dtype=torch.float32)
    y, x = axis[:, None], axis[None, :]
    images = torch.full((count, size, size), -1000.0)
    labels = torch.zeros(count, size, size, dtype=torch.uint8)
    images[:, ((y - size / 2) ** 2 + (x - size / 2) ** 2) < (0.45 * size) ** 2] = 20.0
    for n in range(count):
        for index, (column, value) in enumerate(((0.35, 150.0), (0.65, -80.0)), start=1):
            shift = (torch.rand(2, generator=rng) - 0.5) * 0.15 * size
            inside = ((y - size / 2 - shift[0]) ** 2 + (x - column * size - shift[1]) ** 2) < (0.12 * size) ** 2
            images[n][inside], labels[n][inside] = value, index
    images += torch.randn(images.shape, generator=rng) * 5
    return images.round().to(torch.int16)[:, None], labels


def labeled_discs(count=6, size=32):
    images, labels = discs(count, size)
    return LabeledSlices(images, labels, 3, WINDOW)


def unlabeled_discs(count=9, size=32):
    return UnlabeledSlices(discs(count, size, seed=1)[0], WINDOW)


def gan_stage(seed=0, **changes):
    torch.manual_seed(seed)
    return GanStage(SHAPE, GanConfig(**{**GAN, **changes}), labeled_discs(), unlabeled_discs())


def encoder_stage(seed=0, **changes):
    gan = gan_stage(seed)
    config = EncoderConfig(**{"batch": 4, "width": 16, **changes})
    perceptual = Perceptual(copy.deepcopy(gan.image_critic))
    return EncoderStage(copy.deepcopy(gan.average), perceptual, config, gan.labeled, gan.unlabeled)


def unet_stage(seed=0, **changes):
    torch.manual_seed(seed)
    config = UnetConfig(**{"batch": 4, "channels": (4, 8), **changes})
    return UnetStage(config, labeled_discs())


def training_state(stage):
    """Every tensor that training changes, by name: weights, buffers and what the optimisers remember."""
    tensors = dict(stage.state_dict())
    for name, optimizer in stage.optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}/{index}/{key}": torch.as_tensor(value) for key, value in entries.items()}
    return {name: tensor.clone() for name, tensor in tensors.items()}


def differing(one, other):
    """Names of the tensors that are not bit for bit the same in two states."""
    assert one.keys() == other.keys()
    return [
        name for name in one if one[name].dtype != other[name].dtype or not torch.equal(one[name], other[name])
    ]
