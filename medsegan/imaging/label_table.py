"""Tables of class names as they stand in files, each in the form that other programs know."""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote
from xml.etree import ElementTree

from .palette import class_colour

CARET = 30
"""Code of the NIfTI header extension for tables of Caret and the Connectome Workbench (nifti1.h)."""
PNG_KEYWORD = "medsegan:classes"
"""Of the text in a PNG that holds the names: JSON, value -> name."""
_LARGEST_XML = 4 << 20
_KEY = re.compile(r"Segment(\d+)_(Name|LabelValue)")
_PLAIN = "".join(chr(code) for code in range(32, 127) if chr(code) != "%")


def names_to_xml(names: Mapping[int, str]) -> bytes:
    """A label table as the Connectome Workbench and TotalSegmentator write it into NIfTI.

    Args:
        names: value -> name.
    """
    root = ElementTree.Element("CaretExtension")
    volume = ElementTree.SubElement(root, "VolumeInformation", Index="0")
    table = ElementTree.SubElement(volume, "LabelTable")
    for value, name in sorted(names.items()):
        red, green, blue = (f"{part / 255:.6g}" for part in class_colour(value))
        entry = {"Key": str(value), "Red": red, "Green": green, "Blue": blue, "Alpha": "1"}
        ElementTree.SubElement(table, "Label", entry).text = name
    ElementTree.SubElement(volume, "VolumeType").text = "Label"
    return ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)


def names_from_xml(content: bytes) -> dict[int, str]:
    """Value -> name of a label table, wherever it stands in the document; empty if there is none.

    Args:
        content: of a header extension.

    Raises:
        ValueError: it is no such document.
    """
    text = content.rstrip(b"\0 \n\r\t")
    if len(text) > _LARGEST_XML or b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("it is too large or declares entities")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise ValueError(str(error)) from error
    return {int(label.get("Key", "")): (label.text or "").strip() for label in root.iter("Label")}


def names_to_fields(names: Mapping[int, str], shape: tuple[int, ...], *, ascii_only: bool) -> dict[str, str]:
    """Header fields as 3D Slicer writes them for the segments of a label volume.

    Args:
        names: value -> name.
        shape: of the volume.
        ascii_only: whether what is no plain letter is written as %XX, for headers that hold no others.
    """
    extent = " ".join(f"0 {n - 1}" for n in shape)
    fields: dict[str, str] = {}
    for index, (value, name) in enumerate(sorted(names.items())):
        written = quote(name, safe=_PLAIN) if ascii_only else " ".join(name.split())
        colour = " ".join(f"{part / 255:.6g}" for part in class_colour(value))
        of_segment = {"ID": f"Segment_{value}", "Name": written, "LabelValue": str(value), "Color": colour}
        of_segment |= {"Layer": "0", "Extent": extent}
        fields |= {f"Segment{index}_{key}": text for key, text in of_segment.items()}
    return fields


def names_from_fields(fields: Mapping[str, str], *, ascii_only: bool) -> dict[int, str]:
    """Value -> name from the header fields of 3D Slicer; empty if there are none.

    Args:
        fields: of the header.
        ascii_only: whether %XX stands for other letters.

    Raises:
        ValueError: a value is no number.
    """
    segments: dict[str, dict[str, str]] = {}
    for key, text in fields.items():
        found = _KEY.fullmatch(key)
        if found:
            segments.setdefault(found[1], {})[found[2]] = unquote(text) if ascii_only else text
    complete = [one for one in segments.values() if len(one) == 2]
    return {int(one["LabelValue"]): one["Name"].strip() for one in complete}
