"""Whose scan a DICOM folder holds, without saying it."""

import hashlib
import warnings
from io import BytesIO
from pathlib import Path

import pydicom

from ..archive import first_dicom
from ..formats import is_archive, is_dicom_file
from .header import READ_FAILURES, element_text

_SAY_NOTHING = frozenset(
    ["", "0", "anon", "anonymous", "anonymised", "anonymized", "none", "unknown", "na", "n/a"]
)
"""What is written in place of an id where ids were taken out: equal ones are no sign of one patient."""


def read_patient_key(path: Path) -> str | None:
    """A hash of the PatientID (0010,0020) of a scan; equal for the scans of one patient, and not the id itself.

    Args:
        path: a DICOM file, or a folder or zip archive, of which the first file is read.

    Returns:
        Hexadecimal digits of a SHA-256; None if the file is no DICOM, has no PatientID or a word for none.
    """
    file: Path | BytesIO | None
    if is_archive(path):
        head = first_dicom(path)
        file = None if head is None else BytesIO(head)
    else:
        file = (
            path if path.is_file() else next((one for one in sorted(path.iterdir()) if is_dicom_file(one)), None)
        )
    if file is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of values that do not matter here
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["PatientID"], force=True)
            patient = element_text(dataset, "PatientID")
    except READ_FAILURES:
        return None  # a damaged file is refused where its scan is read
    if patient.lower() in _SAY_NOTHING:
        return None
    return hashlib.sha256(f"dicom/{patient}".encode()).hexdigest()
