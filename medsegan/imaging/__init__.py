"""Scans and labels: read from files, written to files, put on one intensity scale."""

from .dicom import read_series, write_series
from .formats import is_scan, scan_stem
from .intensity import DEFAULT_WINDOWS, IntensityScale, fit_scale
from .modality import detect_modality
from .probabilities import write_probabilities
from .read import read_label, read_volume
from .volume import LabelVolume, Modality, Volume
from .write import write_label, write_volume

__all__ = [
    "DEFAULT_WINDOWS",
    "IntensityScale",
    "LabelVolume",
    "Modality",
    "Volume",
    "detect_modality",
    "fit_scale",
    "is_scan",
    "read_label",
    "read_series",
    "read_volume",
    "scan_stem",
    "write_label",
    "write_probabilities",
    "write_series",
    "write_volume",
]
