"""What a slice says of itself, read without its pixels."""

import math
import re
import struct
import warnings
import zlib
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

from ...errors import DataError, InputError
from ..volume import Modality
from .claims import CLAIM_TAGS, PLAIN_CLAIMS, RARE_CLAIMS, claims_of
from .frames import ENHANCED_CLASSES, GROUP_SEQUENCES, split_frames
from .native import NATIVE_KEYWORDS, NativePixels, native_pixels
from .plain import PlainElements, PlainReader

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""A decimal string (DICOM PS3.5, section 6.2); Python's own float() takes more, such as "1_0" and "nan"."""

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

_TAG_BYTES = 4

CONTRAST_TAGS = (
    *("ImageType", "EchoNumbers", "EchoTime", "InversionTime", "FlipAngle", "SequenceName", "DiffusionBValue"),
    *("ComplexImageComponent", "KVP", "ConvolutionKernel", "RescaleType", "TemporalPositionIdentifier", "StackID"),
)
"""What makes a slice part of another volume wherever it lies."""
MOMENT_TAGS = (
    *("TriggerTime", "NominalPercentageOfCardiacPhase", "AcquisitionNumber", "DiffusionGradientOrientation"),
    *("AcquisitionTime", "ContentTime"),
)
"""What may tell two slices at one position apart, the most telling first."""
_BINARY_TAGS = ("DiffusionBValue", "DiffusionGradientOrientation", "NominalPercentageOfCardiacPhase")
"""Stored as floating point numbers (FD) and not as text."""
_ORIGIN_TAGS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber")

_PLAIN_TAGS = (
    *CONTRAST_TAGS,
    *(name for name in MOMENT_TAGS if name != "DiffusionGradientOrientation"),
    *_ORIGIN_TAGS,
    *("SOPClassUID", "FrameOfReferenceUID", "Rows", "Columns"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SamplesPerPixel"),
    *("PhotometricInterpretation", "NumberOfFrames"),
    *("RescaleSlope", "RescaleIntercept", "BitsStored", "PixelRepresentation"),
    *PLAIN_CLAIMS,
)
"""Elements that are a text or one number."""
_RARE_TAGS = (*GROUP_SEQUENCES, *RARE_CLAIMS, "DiffusionGradientOrientation")
_TAGS = (*_PLAIN_TAGS, *_RARE_TAGS, *CLAIM_TAGS)
_PLAIN = PlainReader(tuple(dict.fromkeys((*_PLAIN_TAGS, *NATIVE_KEYWORDS))), _RARE_TAGS)

_LONGEST_SHOWN = 128
"""Six numbers of sixteen characters with their separators are 101."""
_LETTERS = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class SliceHeader:
    """One slice of a series. Numbers that the file lacks are empty tuples.

    Args:
        path: its file.
        sop_class: the UID of what kind of object it is.
        series_uid: SeriesInstanceUID.
        origin: patient, study, series and its number; only compared, never shown.
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
        phases: names and values that may tell the slices of several volumes apart.
        claims: names and values of what else a user should know.
        frame: index of the picture in its file; None = the file holds one slice.
        native: where its pixels lie as they are; None = they have to be decoded.
    """

    path: Path
    sop_class: str
    series_uid: str
    origin: tuple[str, ...] = field(repr=False)
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
    claims: tuple[tuple[str, str], ...] = ()
    frame: int | None = None
    native: NativePixels | None = None

    @property
    def image_type(self) -> tuple[str, ...]:
        """The values of ImageType in capitals."""
        return tuple(dict(self.phases)["ImageType"].split("\\"))

    @property
    def is_mosaic(self) -> bool:
        """Whether one picture holds many slices side by side, by its type or a private tag of its scanner."""
        return "MOSAIC" in self.image_type or "mosaic" in dict(self.claims)

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
            with path.open("rb") as stream:
                dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
                _require_pixels(dataset, stream.read(_TAG_BYTES), path)
            if element_text(dataset, "SOPClassUID") not in ENHANCED_CLASSES:
                return [_parse(dataset, path)]
            frames = enumerate(split_frames(dataset, path))
            return [replace(_parse(frame, path), frame=index) for index, frame in frames]
    except READ_FAILURES as error:
        raise InputError(f"{path}: the DICOM header cannot be read ({error}); the file is damaged") from error


def _require_pixels(dataset: Dataset, following: bytes, path: Path) -> None:
    """Refuse a slice that ends before its pixels or contradicts itself, which would else pass for another object.

    Args:
        dataset: its header.
        following: the tag that comes behind the header; empty at the end of the file.
        path: the file, for messages.
    """
    meta = getattr(dataset, "file_meta", None) or Dataset()
    promised, found = element_text(meta, "MediaStorageSOPClassUID"), element_text(dataset, "SOPClassUID")
    is_stump = not found and promised != MediaStorageDirectoryStorage and getattr(dataset, "preamble", None)
    if is_stump:
        raise InputError(f"{path}: it says nowhere what it is (SOP class); the file is damaged or cut off")
    if promised in MODALITY_OF_CLASS and found != promised:
        raise InputError(
            f"{path}: its meta header promises {UID(promised).name}, its SOP class is {found or 'missing'}; the "
            "file is damaged or cut off"
        )
    is_deflated = element_text(meta, "TransferSyntaxUID") == DeflatedExplicitVRLittleEndian
    if found in MODALITY_OF_CLASS and not following and not is_deflated:
        raise InputError(f"{path}: the file ends before its pixels; it is damaged or cut off")


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
        DataError: a value is no finite number.
    """
    text = element_text(dataset, keyword)
    try:
        return _numbers(text)
    except ValueError as error:
        raise DataError(f"{path}: {keyword} is {shown(text)}, expected numbers; the header is damaged") from error


@lru_cache(maxsize=256)
def _numbers(text: str) -> tuple[float, ...]:
    """Kept for a while, since the slices of a series share most of their numbers."""
    parts = [part.strip().replace(",", ".") for part in text.split("\\") if part.strip()]
    numbers = tuple([float(part) for part in parts if _NUMBER.fullmatch(part)])
    if len(numbers) < len(parts) or not all(map(math.isfinite, numbers)):
        raise ValueError(text)
    return numbers


def shown(text: str) -> str:
    """A damaged value as a message may show it: where a length is damaged too, names of patients follow in it."""
    if len(text) > _LONGEST_SHOWN:
        return f"a text of {len(text)} characters"
    return repr(_LETTERS.sub("...", text))


def _parse(dataset: Dataset | PlainElements, path: Path) -> SliceHeader:
    sop_class = element_text(dataset, "SOPClassUID")

    def numbers(keyword: str) -> tuple[float, ...]:
        """Those of an object that is left out do not matter, damaged or not."""
        return element_numbers(dataset, keyword, path) if sop_class in MODALITY_OF_CLASS else ()

    thickness, slope, intercept = map(numbers, ("SliceThickness", "RescaleSlope", "RescaleIntercept"))
    matrix = (_integer(dataset, "Rows") or 0, _integer(dataset, "Columns") or 0)
    if sop_class in MODALITY_OF_CLASS and min(matrix) < 1:
        raise InputError(f"{path}: the DICOM header has no Rows or no Columns; the file is damaged or cut off")
    if len(slope) > 1 or len(intercept) > 1:
        raise DataError(f"{path}: RescaleSlope {slope} and RescaleIntercept {intercept} are no scale")
    native = None
    if isinstance(dataset, PlainElements):
        native = native_pixels(dataset, ((slope or (1.0,))[0], (intercept or (0.0,))[0]))
    return SliceHeader(
        path=path,
        sop_class=sop_class,
        series_uid=element_text(dataset, "SeriesInstanceUID"),
        origin=tuple(element_text(dataset, name) for name in _ORIGIN_TAGS),
        frame_uid=element_text(dataset, "FrameOfReferenceUID"),
        series_number=element_text(dataset, "SeriesNumber"),
        matrix=matrix,
        position=numbers("ImagePositionPatient"),
        orientation=numbers("ImageOrientationPatient"),
        pixel_spacing=numbers("PixelSpacing"),
        thickness_mm=thickness[0] if thickness else None,
        photometric=element_text(dataset, "PhotometricInterpretation"),
        n_samples=_integer(dataset, "SamplesPerPixel") or 1,
        n_frames=int(float(element_text(dataset, "NumberOfFrames") or 1)),
        scale=(slope[0], intercept[0]) if slope and intercept else None,
        storage=(_integer(dataset, "BitsStored") or 0, _integer(dataset, "PixelRepresentation") == 1),
        phases=tuple([(name, _phase_text(dataset, name)) for name in (*CONTRAST_TAGS, *MOMENT_TAGS)]),
        claims=claims_of(partial(element_text, dataset), None if isinstance(dataset, PlainElements) else dataset),
        native=native,
    )


def _integer(dataset: Dataset | PlainElements, keyword: str) -> int | None:
    """A number that is stored in two bytes; None = absent or empty."""
    if isinstance(dataset, PlainElements):
        return dataset.integer(keyword)
    value = dataset.get(keyword)
    return None if value is None else int(value)


def _phase_text(dataset: Dataset | PlainElements, keyword: str) -> str:
    if keyword in _BINARY_TAGS:
        return (
            dataset.double_text(keyword) if isinstance(dataset, PlainElements) else str(dataset.get(keyword, ""))
        )
    text = element_text(dataset, keyword)
    return "\\".join(part.strip().upper() for part in text.split("\\")) if keyword == "ImageType" else text
