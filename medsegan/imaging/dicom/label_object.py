"""DICOM files that hold labels: told from slices, tied to their series, read."""

import re
import warnings
from collections.abc import Collection
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from ...errors import DataError, InputError
from ...geometry import Grid
from ..volume import LabelVolume
from .rtstruct import RTSTRUCT_CLASS, read_rtstruct
from .seg import SEG_CLASSES, read_seg

_HEAD = 4096
_CLASSES = tuple(uid.encode() for uid in (*SEG_CLASSES, RTSTRUCT_CLASS))
_CLASS = re.compile(rb"(?<![\d.])(?:" + b"|".join(uid.replace(b".", rb"\.") for uid in _CLASSES) + rb")(?![\d.])")


def is_dicom_label(path: Path) -> bool:
    """Whether a file is a DICOM segmentation or structure set, by the SOP class at its beginning alone."""
    if path.name.startswith(".") or not path.is_file():
        return False
    try:
        with path.open("rb", buffering=0) as stream:
            head = stream.read(_HEAD)
    except OSError:
        return False
    if head[128:132] != b"DICM" and path.suffix.lower() != ".dcm":
        return False
    return any(uid in head for uid in _CLASSES) and _CLASS.search(head) is not None


def read_label_object(
    path: Path, on: Grid | None, only: Collection[str] | None, resample: bool = False
) -> LabelVolume:
    """The labels of a segmentation or structure set; see `read_seg` and `read_rtstruct`.

    Raises:
        InputError: the file is damaged.
        DataError: it is another kind of DICOM object.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of values, also when they are looked at
        return _read(path, on, only, resample)


def _read(path: Path, on: Grid | None, only: Collection[str] | None, resample: bool) -> LabelVolume:
    try:
        sop_class = str(_header(path, "SOPClassUID").get("SOPClassUID", ""))
    except Exception as error:  # pydicom raises whatever its parsers stumble over
        raise InputError(f"{path}: the DICOM header cannot be read ({error}); the file is damaged") from error
    if sop_class == RTSTRUCT_CLASS:
        return read_rtstruct(path, on, only)
    if sop_class in SEG_CLASSES:
        return read_seg(path, on, only, resample)
    name = pydicom.uid.UID(sop_class).name or "of no stated class"
    raise DataError(
        f"{path}: this DICOM file is {name}, which holds no labels; expected a segmentation (SEG) or a structure "
        "set (RTSTRUCT)"
    )


def referenced_series(path: Path) -> frozenset[str]:
    """SeriesInstanceUIDs of the images that a segmentation or structure set was drawn on; empty if not said."""
    try:
        header = _header(path, "ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence")
        found = {str(item.get("SeriesInstanceUID", "")) for item in header.get("ReferencedSeriesSequence") or ()}
        for frame in header.get("ReferencedFrameOfReferenceSequence") or ():
            for study in frame.get("RTReferencedStudySequence") or ():
                for series in study.get("RTReferencedSeriesSequence") or ():
                    found.add(str(series.get("SeriesInstanceUID", "")))
    except Exception:  # damage of whatever kind: its reader will say so
        return frozenset()
    return frozenset(found - {""})


def frames_of_reference(path: Path) -> frozenset[str]:
    """FrameOfReferenceUIDs of the positions in a segmentation or structure set; empty if not said."""
    try:
        header = _header(
            path, "FrameOfReferenceUID", "ReferencedFrameOfReferenceSequence", "StructureSetROISequence"
        )
        found = {str(header.get("FrameOfReferenceUID", ""))}
        found |= {
            str(item.get("FrameOfReferenceUID", ""))
            for item in header.get("ReferencedFrameOfReferenceSequence") or ()
        }
        found |= {
            str(item.get("ReferencedFrameOfReferenceUID", ""))
            for item in header.get("StructureSetROISequence") or ()
        }
    except Exception:  # damage of whatever kind: its reader will say so
        return frozenset()
    return frozenset(found - {""})


def series_of_file(path: Path) -> str:
    """The SeriesInstanceUID of a DICOM file; "" if it has none or cannot be read."""
    try:
        return str(_header(path, "SeriesInstanceUID").get("SeriesInstanceUID", ""))
    except Exception:  # damage of whatever kind: its reader will say so
        return ""


def _header(path: Path, *keywords: str) -> Dataset:
    """Some elements of a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(keywords), force=True)
