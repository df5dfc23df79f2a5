"""Methods beside the joint GAN, under the same data, checkpoints, segmentation and evaluation."""

from .unet import UnetPredictor, UnetStage, build_unet

__all__ = ["UnetPredictor", "UnetStage", "build_unet"]
