"""A small frozen model and smooth images for the tests of inversion."""

import torch
import torch.nn.functional as F
from learning_scenes import SHAPE

from medsegan.inversion import Segmenter
from medsegan.models import Encoder, Generator, ImageCritic
from medsegan.training.perceptual import Perceptual


def small_segmenter(dtype=torch.float32, seed=0):
    """An untrained segmenter whose noise matters and whose encoder answers to its input."""
    torch.manual_seed(seed)
    generator, encoder = Generator(SHAPE), Encoder(SHAPE, 16)
    with torch.no_grad():
        for name, weight in generator.named_parameters():
            if name.endswith("noise_strength"):
                weight.fill_(0.1)
        for head in encoder.heads:
            head.linear.weight.mul_(10)
    return Segmenter(generator, encoder, Perceptual(ImageCritic(SHAPE))).to(dtype).eval()


def smooth_images(count, dtype=torch.float32, seed=0):
    """[count, 1, 32, 32] smooth random images in [-1, 1]."""
    coarse = torch.rand(count, 1, 6, 6, generator=torch.Generator().manual_seed(seed)).to(dtype) * 2 - 1
    return F.interpolate(coarse, size=(32, 32), mode="bilinear", align_corners=True)
