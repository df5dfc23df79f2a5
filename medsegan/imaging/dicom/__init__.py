"""DICOM series: found, checked and read; written for phantoms."""

from .read import read_series
from .write import write_series

__all__ = ["read_series", "write_series"]
