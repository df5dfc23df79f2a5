"""Names that tell nothing: hashed ids of cases and patients."""

import hashlib
from os import PathLike, fspath

_DIGITS = 10


def case_id_of(source: str | PathLike[str], domain: str) -> str:
    """The id of a case: ten hexadecimal digits of a SHA-256 over domain and source.

    Args:
        source: what names the case, a path or a stem; the same text gives the same id.
        domain: the domain it belongs to, so that one name in two domains is two cases.
    """
    return _hashed(f"case/{domain}/{fspath(source)}")


def patient_id_of(patient: str) -> str:
    """The id of a patient: ten hexadecimal digits of a SHA-256.

    It does not depend on the domain, so that a patient with a CT and an MR can be recognised as one.

    Args:
        patient: what names the patient: a DICOM PatientID, or the stem of the files.
    """
    return _hashed(f"patient/{patient}")


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
