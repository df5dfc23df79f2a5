"""What else slices say of themselves that a user should know: units, text burned in, other scales."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset

if TYPE_CHECKING:
    from .header import SliceHeader

_CREATORS = {"mosaic": (0x00190010, 0x0019100A), "grid": (0x00650010, 0x00651050)}
"""Private blocks of Siemens and UIH, and the tag in them that counts the slices laid out in one picture.

It stays where an anonymiser takes MOSAIC out of ImageType."""
_MAKERS = {"mosaic": "SIEMENS MR HEADER", "grid": "IMAGE PRIVATE HEADER"}
_PRIVATE_SCALE = 0x2005100E
"""Scale slope of Philips MR: what stored values must be divided by to compare slices of one scan."""
PLAIN_CLAIMS = ("Modality", "BurnedInAnnotation")
"""Those of `CLAIM_TAGS` that are plain text."""
RARE_CLAIMS = (
    "RealWorldValueMappingSequence",
    *(f"{tag:08X}" for tag in (*(count for _, count in _CREATORS.values()), _PRIVATE_SCALE)),
)
"""Those that are no plain text, without any of which there is nothing to claim beyond it."""
CLAIM_TAGS = (*PLAIN_CLAIMS, *RARE_CLAIMS, *(f"{creator:08X}" for creator, _ in _CREATORS.values()))
_MODALITIES = {"ct": ("CT", "OT", ""), "mr": ("MR", "OT", "")}
_STATION_SLICES = 4
"""Fewer slices an acquisition are steps of one scan, as in CT without a spiral."""
_HOUNSFIELD = ("", "HU", "HU_MOD")


def claims_of(text: Callable[[str], str], dataset: Dataset | None) -> tuple[tuple[str, str], ...]:
    """Names and values of what a slice says beyond its geometry; what it does not say is left out.

    Args:
        text: keyword -> the element as text.
        dataset: with the elements of `CLAIM_TAGS`; `None` = the file has none of `RARE_CLAIMS`.
    """
    found = {name: text(name).upper() for name in PLAIN_CLAIMS}
    if dataset is not None:
        found |= _unusual(dataset)
    return tuple((name, value) for name, value in found.items() if value)


def _unusual(dataset: Dataset) -> dict[str, str]:
    found = {
        "RealWorldValue": _read(partial(_real_world, dataset)),
        "private scale": _read(partial(_private, dataset, _PRIVATE_SCALE)),
    }
    for name, (creator, tag) in _CREATORS.items():
        maker, count = (_read(partial(_private, dataset, number)) for number in (creator, tag))
        if maker.strip().upper() == _MAKERS[name] and count not in ("", "0", "1"):
            found["mosaic"] = count
    return found


def claim_notes(slices: Sequence["SliceHeader"], modality: str) -> tuple[str, ...]:
    """What a user should know of the slices of one volume; empty where they say nothing unusual.

    Args:
        slices: of one volume, in the order of their positions.
        modality: by their SOP class, "ct" or "mr".
    """
    said = [dict(header.claims) for header in slices]
    notes = []
    units = sorted({dict(header.phases)["RescaleType"].upper() for header in slices} - set(_HOUNSFIELD))
    if modality == "ct" and units:
        notes.append(f"RescaleType is {', '.join(units)}, so the values may be no HU")
    others = sorted({one.get("Modality", "") for one in said} - set(_MODALITIES[modality]))
    if others:
        notes.append(
            f"Modality is {', '.join(others)}, but the SOP class is that of {modality.upper()}, which counts"
        )
    if any(one.get("BurnedInAnnotation") == "YES" for one in said):
        notes.append("the header says that text is burned into the pixels")
    if any(_disagrees(one.get("RealWorldValue"), header.scale) for one, header in zip(said, slices, strict=True)):
        notes.append(
            "RealWorldValueMapping gives another scale than RescaleSlope and RescaleIntercept, which count"
        )
    if len({one.get("private scale", "") for one in said}) > 1:
        notes.append("a private scale of the scanner changes from slice to slice; only RescaleSlope was applied")
    stations = [key for key, _ in groupby(dict(header.phases)["AcquisitionNumber"] for header in slices)]
    if len(set(stations)) == len(stations) > 1 and len(slices) >= _STATION_SLICES * len(stations):
        notes.append(
            f"{len(stations)} acquisitions lie end to end in this volume (AcquisitionNumber); whether they show "
            "one state of the patient is not to be told"
        )
    return tuple(notes)


def _disagrees(mapping: str | None, scale: tuple[float, float] | None) -> bool:
    if not mapping:
        return False
    numbers = [float(part) for part in mapping.split()]
    return len(numbers) != 2 or not np.allclose(numbers, scale or (1.0, 0.0), rtol=1e-4, atol=1e-6)


def _real_world(dataset: Dataset) -> str:
    items = dataset.get("RealWorldValueMappingSequence") or []
    if not len(items):
        return ""
    slope, intercept = items[0].get("RealWorldValueSlope"), items[0].get("RealWorldValueIntercept")
    return "nan" if slope is None or intercept is None else f"{float(slope):.9g} {float(intercept):.9g}"


def _private(dataset: Dataset, tag: int) -> str:
    return str(dataset[tag].value) if tag in dataset else ""


def _read(value: Callable[[], str]) -> str:
    """A private element may be of any kind; one that cannot be read says nothing."""
    try:
        return value()
    except Exception:  # pydicom raises whatever its parsers stumble over
        return ""
