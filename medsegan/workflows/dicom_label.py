"""Labels as DICOM objects: what they are called, and which scans they can belong to."""

from pathlib import Path

from ..imaging import is_archive, is_dicom_file, is_dicom_index

DICOM_SUFFIX = ".dcm"


def holds_dicom(scan: Path) -> bool:
    """Whether a scan is a DICOM series by what it is called, and not a volume file or a picture."""
    return scan.is_dir() or is_archive(scan) or is_dicom_index(scan) or is_dicom_file(scan)


def is_dicom_name(path: Path) -> bool:
    """Whether a file to write is a DICOM object by its name."""
    return path.name.lower().endswith(DICOM_SUFFIX)
