"""DICOM series: found, checked and read; written for phantoms. Segmentations and structure sets."""

from .files import find_dicom_files
from .label_object import is_dicom_label, read_label_object, referenced_series, series_of_file
from .patient import read_patient_key, read_patient_words
from .radiograph import is_radiograph
from .read import read_series, read_series_outline
from .write import write_series
from .write_label_object import DicomForm, write_dicom_label

__all__ = [
    "DicomForm",
    "find_dicom_files",
    "is_dicom_label",
    "is_radiograph",
    "read_label_object",
    "read_patient_key",
    "read_patient_words",
    "read_series",
    "read_series_outline",
    "referenced_series",
    "series_of_file",
    "write_dicom_label",
    "write_series",
]
