"""Labels by inversion: the codes that reproduce a scan, and the label that the generator has for them."""

from .segmenter import Segmenter

__all__ = ["Segmenter"]
