"""medsegan: medical image segmentation from few labels, with one generative model of images and labels."""

__version__ = "0.1.0.dev0"
