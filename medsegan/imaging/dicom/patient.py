"""Whose scan a DICOM folder holds, without saying it."""

import hashlib
import re
import warnings
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom import Dataset

from ..archive import first_dicom
from ..formats import is_archive, is_dicom_file
from .header import READ_FAILURES, element_text

_SAY_NOTHING = frozenset(
    ["", "0", "anon", "anonymous", "anonymised", "anonymized", "none", "unknown", "na", "n/a"]
)
"""What is written in place of an id where ids were taken out: equal ones are no sign of one patient."""

_NAMES = (
    *("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ResponsiblePerson"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "PhysiciansOfRecord", "OperatorsName"),
    *("NameOfPhysiciansReadingStudy", "RequestingPhysician"),
)
_NUMBERS = (
    *("PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "PatientAddress", "PatientTelephoneNumbers"),
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName"),
)
_IDENTITY = ("PatientName", "OtherPatientNames", "PatientID", "OtherPatientIDs", "PatientBirthDate")
_DATES = ("PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_WRITTEN_DATES = (
    "{y}{m}{d}",
    "{y}-{m}-{d}",
    "{y}_{m}_{d}",
    "{y}.{m}.{d}",
    "{d}.{m}.{y}",
    "{d}{m}{y}",
    "{m}{d}{y}",
)
_PARTS = re.compile(r"[\^=,;\s\\]+")
_DATE = re.compile(r"\d{8}")
_SHORTEST_WORD = 3


def read_patient_key(path: Path) -> str | None:
    """A hash of the PatientID (0010,0020) of a scan; equal for the scans of one patient, and not the id itself.

    Args:
        path: a DICOM file, or a folder or zip archive, of which the first file is read.

    Returns:
        Hexadecimal digits of a SHA-256; None if the file is no DICOM, has no PatientID or a word for none.
    """
    dataset = _first_header(path, ["PatientID"])
    patient = "" if dataset is None else element_text(dataset, "PatientID")
    if patient.lower() in _SAY_NOTHING:
        return None
    return hashlib.sha256(f"dicom/{patient}".encode()).hexdigest()


def read_patient_words(path: Path, *, only_identity: bool = False) -> frozenset[str]:
    """What in the header of a scan tells who the patient is and when and where: names, numbers, dates, places.

    Args:
        path: as in `read_patient_key`.
        only_identity: whether to leave out all but names, numbers and date of birth of the patient, and these too
            where the header says that they were replaced (0012,0062).

    Returns:
        Texts of at least three characters in lower case, whole and taken apart; empty if the file is no DICOM.
    """
    keywords = _IDENTITY if only_identity else (*_NAMES, *_NUMBERS, *_DATES)
    dataset = _first_header(path, [*keywords, "PatientIdentityRemoved"])
    if dataset is None or (only_identity and element_text(dataset, "PatientIdentityRemoved").upper() == "YES"):
        return frozenset()
    words: set[str] = set()
    for keyword in keywords:
        text = element_text(dataset, keyword)
        words.update([text, *text.split("\\")])
        if keyword in _NAMES:
            words.update(part for part in _PARTS.split(text) if part.isalpha())
        elif keyword in _DATES and _DATE.fullmatch(text):
            year, month, day = text[:4], text[4:6], text[6:]
            words.update(order.format(y=year, m=month, d=day) for order in _WRITTEN_DATES)
    lowered = {word.strip().lower() for word in words}
    return frozenset(word for word in lowered - _SAY_NOTHING if len(word) >= _SHORTEST_WORD)


def _first_header(path: Path, keywords: list[str]) -> Dataset | None:
    """A few elements of the first DICOM file of a scan; None if there is none, or it cannot be read."""
    file: Path | BytesIO | None
    try:
        if is_archive(path):
            head = first_dicom(path)
            file = None if head is None else BytesIO(head)
        elif path.is_file():
            file = path if is_dicom_file(path) else None
        else:
            file = next((one for one in sorted(path.iterdir()) if is_dicom_file(one)), None)
        if file is None:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of values that do not matter here
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(keywords), force=True)
            for keyword in keywords:
                element_text(dataset, keyword)
    except READ_FAILURES:
        return None  # a damaged file is refused where its scan is read
    return dataset
