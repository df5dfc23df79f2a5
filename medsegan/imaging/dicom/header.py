"""What a slice says of itself, read without its pixels."""

import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import UID

from ...errors import DataError, InputError
from ..volume import Modality
from .frames import ENHANCED_CLASSES, GROUP_SEQUENCES, split_frames
from .native import NATIVE_KEYWORDS, NativePixels, native_pixels
from .plain import PlainElements, PlainReader

READ_FAILURES = (
    *(InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, LookupError, AttributeError),
    *(TypeError, RuntimeError, ArithmeticError, struct.error, zlib.error),
)
"""What pydicom raises on damaged files."""

MODALITY_OF_CLASS: dict[str, Modality] = {
    "1.2.840.10008.5.1.4.1.1.2": "ct",
    "1.2.840.10008.5.1.4.1.1.2.1": "ct",
    "1.2.840.10008.5.1.4.1.1.2.2": "ct",
    "1.2.840.10008.5.1.4.1.1.4": "mr",
    "1.2.840.10008.5.1.4.1.1.4.1": "mr",
    "1.2.840.10008.5.1.4.1.1.4.4": "mr",
}
"""The SOP classes that are read: CT and MR, plain, enhanced and legacy converted (DICOM PS3.4, annex B.5)."""

_PHASE_TAGS = (
    "AcquisitionNumber",
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "EchoTime",
    "InversionTime",
    "TriggerTime",
    "DiffusionBValue",
    "ImageType",
    "AcquisitionTime",
    "ContentTime",
    "StackID",
)
"""What may tell two slices at one position apart, the most telling first."""

_TAGS = (
    *_PHASE_TAGS,
    *(
        "SOPClassUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
        "SeriesNumber",
        "Rows",
        "Columns",
    ),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SamplesPerPixel"),
    *("PhotometricInterpretation", "NumberOfFrames"),
    *("RescaleSlope", "RescaleIntercept", "BitsStored", "PixelRepresentation"),
    *GROUP_SEQUENCES,
)
_PLAIN = PlainReader(
    tuple(dict.fromkeys(name for name in (*_TAGS, *NATIVE_KEYWORDS) if name not in GROUP_SEQUENCES)),
    GROUP_SEQUENCES,
)


@dataclass(frozen=True)
class SliceHeader:
    """One slice of a series. Numbers that the file lacks are empty tuples.

    Args:
        path: its file.
        sop_class: the UID of what kind of object it is.
        series_uid: SeriesInstanceUID.
        frame_uid: FrameOfReferenceUID; slices of different frames have no common place.
        series_number: the number a viewer shows.
        matrix: rows and columns.
        position: of the centre of the first pixel, LPS mm.
        orientation: direction cosines of the rows and then of the columns, LPS.
        pixel_spacing: distance between rows and between columns, mm.
        thickness_mm: SliceThickness.
        photometric: PhotometricInterpretation.
        n_samples: values per pixel.
        n_frames: pictures in the file.
        scale: RescaleSlope and RescaleIntercept; None = the file lacks one.
        storage: BitsStored, and whether stored values are signed.
        phases: names and values that may tell slices at one position apart.
        frame: index of the picture in its file; None = the file holds one slice.
        native: where its pixels lie as they are; None = they have to be decoded.
    """

    path: Path
    sop_class: str
    series_uid: str
    frame_uid: str
    series_number: str
    matrix: tuple[int, int]
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_spacing: tuple[float, ...]
    thickness_mm: float | None
    photometric: str
    n_samples: int
    n_frames: int
    scale: tuple[float, float] | None
    storage: tuple[int, bool]
    phases: tuple[tuple[str, str], ...]
    frame: int | None = None
    native: NativePixels | None = None

    @property
    def image_type(self) -> tuple[str, ...]:
        """The values of ImageType in capitals."""
        return tuple(part.strip().upper() for part in dict(self.phases)["ImageType"].split("\\"))

    @property
    def class_name(self) -> str:
        """The name of the SOP class, such as "CT Image Storage"; its UID if it has none."""
        uid = UID(self.sop_class, validation_mode=pydicom.config.IGNORE)
        return str(uid.name) if uid.is_valid else "unknown object"

    @property
    def is_slice(self) -> bool:
        """Whether this is a single grey slice of a CT or MR."""
        is_single = self.n_frames == 1 or self.frame is not None
        return self.sop_class in MODALITY_OF_CLASS and self.n_samples == 1 and is_single


def read_headers(path: Path) -> list[SliceHeader]:
    """The headers of the slices in one DICOM file: one, or one per frame of an enhanced image.

    Raises:
        InputError: the file is damaged.
        DataError: a number in it is none, or frames lack their functional groups.
    """
    elements = _PLAIN.read(path)
    try:
        if elements is not None and elements.text("SOPClassUID") not in ENHANCED_CLASSES:
            return [_parse(elements, path)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of values that we parse ourselves
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
            if element_text(dataset, "SOPClassUID") not in ENHANCED_CLASSES:
                return [_parse(dataset, path)]
            frames = enumerate(split_frames(dataset, path))
            return [replace(_parse(frame, path), frame=index) for index, frame in frames]
    except READ_FAILURES as error:
        raise InputError(f"{path}: the DICOM header cannot be read ({error}); the file is damaged") from error


def element_text(dataset: Dataset | PlainElements, keyword: str) -> str:
    """An element as the text it is written in, values divided by backslashes; "" if it is absent.

    Parsed here and not by pydicom, because anonymisers write numbers longer than 16 characters and decimal commas.
    """
    if isinstance(dataset, PlainElements):
        return dataset.text(keyword)
    if keyword not in dataset:
        return ""
    value = dataset.get_item(keyword).value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("ascii", errors="replace").strip(" \0")
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return "\\".join(str(part) for part in value)
    return str(value).strip(" \0")


def element_numbers(dataset: Dataset | PlainElements, keyword: str, path: Path) -> tuple[float, ...]:
    """The numbers of an element; empty if it is absent or empty.

    Raises:
        DataError: a value is no number.
    """
    text = element_text(dataset, keyword)
    try:
        return _numbers(text)
    except ValueError as error:
        raise DataError(f"{path}: {keyword} is {text!r}, expected numbers; the header is damaged") from error


@lru_cache(maxsize=256)
def _numbers(text: str) -> tuple[float, ...]:
    """Kept for a while, since the slices of a series share most of their numbers."""
    return tuple([float(part.strip().replace(",", ".")) for part in text.split("\\") if part.strip()])


def _parse(dataset: Dataset | PlainElements, path: Path) -> SliceHeader:
    thickness = element_numbers(dataset, "SliceThickness", path)
    slope, intercept = (element_numbers(dataset, f"Rescale{name}", path) for name in ("Slope", "Intercept"))
    native = None
    if isinstance(dataset, PlainElements):
        native = native_pixels(dataset, ((slope or (1.0,))[0], (intercept or (0.0,))[0]))
    return SliceHeader(
        path=path,
        sop_class=element_text(dataset, "SOPClassUID"),
        series_uid=element_text(dataset, "SeriesInstanceUID"),
        frame_uid=element_text(dataset, "FrameOfReferenceUID"),
        series_number=element_text(dataset, "SeriesNumber"),
        matrix=(_integer(dataset, "Rows") or 0, _integer(dataset, "Columns") or 0),
        position=element_numbers(dataset, "ImagePositionPatient", path),
        orientation=element_numbers(dataset, "ImageOrientationPatient", path),
        pixel_spacing=element_numbers(dataset, "PixelSpacing", path),
        thickness_mm=thickness[0] if thickness else None,
        photometric=element_text(dataset, "PhotometricInterpretation"),
        n_samples=_integer(dataset, "SamplesPerPixel") or 1,
        n_frames=int(float(element_text(dataset, "NumberOfFrames") or 1)),
        scale=(slope[0], intercept[0]) if slope and intercept else None,
        storage=(_integer(dataset, "BitsStored") or 0, _integer(dataset, "PixelRepresentation") == 1),
        phases=tuple([(name, _phase_text(dataset, name)) for name in _PHASE_TAGS]),
        native=native,
    )


def _integer(dataset: Dataset | PlainElements, keyword: str) -> int | None:
    """A number that is stored in two bytes; None = absent or empty."""
    if isinstance(dataset, PlainElements):
        return dataset.integer(keyword)
    value = dataset.get(keyword)
    return None if value is None else int(value)


def _phase_text(dataset: Dataset | PlainElements, keyword: str) -> str:
    """DiffusionBValue is binary (FD), all others are text."""
    if keyword != "DiffusionBValue":
        return element_text(dataset, keyword)
    if isinstance(dataset, PlainElements):
        return dataset.double_text(keyword)
    return str(dataset.get(keyword, ""))
