"""Which package decodes a compression that cannot be read with what is installed, and how to get it."""

from pydicom.uid import UID

_PREFIX = "1.2.840.10008.1.2.4."
_PLUGINS = {
    "python-gdcm": ("50", "51", "53", "55", "57", "70"),
    "pyjpegls": ("80", "81"),
    "pylibjpeg-openjpeg": ("90", "91", "92", "93", "201", "202", "203"),
}
"""The freely licensed decoders of the extra, and what each is there for; all others are built in."""


def advice_on(syntax: UID) -> str:
    """What to do about a transfer syntax that cannot be decoded.

    Args:
        syntax: TransferSyntaxUID (DICOM PS3.5, annex A.4).
    """
    kind = str(syntax).removeprefix(_PREFIX)
    convert = "convert the series to an uncompressed syntax"
    plugin = next((name for name, kinds in _PLUGINS.items() if kind in kinds), None)
    if plugin is None:
        return f"no plug-in of ours decodes it; {convert}"
    return f'it needs {plugin}: pip install "medsegan[dicom]", or {convert}'
