"""Numbers as DICOM writes them: decimal strings of at most 16 characters."""

from collections.abc import Iterable

from pydicom.valuerep import DSfloat, format_number_as_ds


def decimal_strings(numbers: Iterable[float]) -> list[DSfloat]:
    """Decimal strings (DS, DICOM PS3.5, section 6.2) as exact as 16 characters allow; -0 becomes 0."""
    return [DSfloat(format_number_as_ds(float(number) + 0.0)) for number in numbers]
