"""Which package decodes a compression that cannot be read with what is installed."""

from pydicom.uid import UID

_PREFIX = "1.2.840.10008.1.2.4."
_JPEG = ("50", "51", "57", "70")
_JPEG_LS = ("80", "81")
_JPEG_2000 = ("90", "91", "92", "93", "201", "202", "203")


def advice_on(syntax: UID) -> str:
    """What to do about a transfer syntax that cannot be decoded; only freely licensed packages are named.

    Args:
        syntax: TransferSyntaxUID (DICOM PS3.5, annex A.4).
    """
    kind = str(syntax).removeprefix(_PREFIX)
    packages = ""
    if kind in _JPEG_2000:
        packages = "pylibjpeg pylibjpeg-openjpeg"
    elif kind in _JPEG_LS:
        packages = "pyjpegls"
    elif kind in _JPEG:
        packages = "python-gdcm"
    convert = "convert the series to an uncompressed syntax"
    return f"install a decoder (pip install {packages}), or {convert}" if packages else convert
