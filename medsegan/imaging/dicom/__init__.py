"""DICOM series: found, checked and read; written for phantoms."""

from .patient import read_patient_key
from .radiograph import is_radiograph
from .read import read_series
from .write import write_series

__all__ = ["is_radiograph", "read_patient_key", "read_series", "write_series"]
