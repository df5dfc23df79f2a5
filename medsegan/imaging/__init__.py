"""Scans and labels: read from files, written to files, put on one intensity scale."""

from .aligned import align_label
from .belonging import NO_LABELS_BETWEEN, OTHER_FRAME, belonging_notes
from .class_folder import class_files
from .class_names import class_name_of
from .colours import read_colours
from .content_hash import content_hash
from .dicom import (
    DicomForm,
    find_dicom_files,
    is_dicom_label,
    is_radiograph,
    read_patient_key,
    read_patient_words,
    read_series,
    referenced_series,
    series_of_file,
    write_dicom_label,
    write_series,
)
from .formats import (
    is_archive,
    is_dicom_file,
    is_dicom_index,
    is_picture_file,
    is_scan,
    is_volume_file,
    scan_stem,
)
from .intensity import DEFAULT_WINDOWS, IntensityScale, fit_scale
from .modality import detect_modality
from .nifti import count_volumes
from .probabilities import write_probabilities
from .read import read_outline, read_stored, read_volume
from .read_label import needs_scan, read_label
from .soft_mask import threshold_soft_mask
from .stored import StoredArray
from .stored_names import read_names
from .volume import MODALITIES, LabelVolume, Modality, Outline, Volume
from .voxels import as_intensities
from .write import WRITABLE, require_writable, write_label, write_volume

__all__ = [
    "DEFAULT_WINDOWS",
    "MODALITIES",
    "NO_LABELS_BETWEEN",
    "OTHER_FRAME",
    "WRITABLE",
    "DicomForm",
    "IntensityScale",
    "LabelVolume",
    "Modality",
    "Outline",
    "StoredArray",
    "Volume",
    "align_label",
    "as_intensities",
    "belonging_notes",
    "class_files",
    "class_name_of",
    "content_hash",
    "count_volumes",
    "detect_modality",
    "find_dicom_files",
    "fit_scale",
    "is_archive",
    "is_dicom_file",
    "is_dicom_index",
    "is_dicom_label",
    "is_picture_file",
    "is_radiograph",
    "is_scan",
    "is_volume_file",
    "needs_scan",
    "read_colours",
    "read_label",
    "read_names",
    "read_outline",
    "read_patient_key",
    "read_patient_words",
    "read_series",
    "read_stored",
    "read_volume",
    "referenced_series",
    "require_writable",
    "scan_stem",
    "series_of_file",
    "threshold_soft_mask",
    "write_dicom_label",
    "write_label",
    "write_probabilities",
    "write_series",
    "write_volume",
]
