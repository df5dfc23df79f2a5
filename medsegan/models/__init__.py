"""Networks: the joint generator, its critics, the encoder, and how they are kept on disk."""

from .archive import read_archive, read_document, write_archive
from .average import update_average
from .critics import ImageCritic, JointCritic
from .encoder import Encoder
from .generator import Generator, Shape
from .prediction import ObjectiveName, Prediction, Predictor

__all__ = [
    "Encoder",
    "Generator",
    "ImageCritic",
    "JointCritic",
    "ObjectiveName",
    "Prediction",
    "Predictor",
    "Shape",
    "read_archive",
    "read_document",
    "update_average",
    "write_archive",
]
