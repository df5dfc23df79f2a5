"""X-ray pictures: computed and digital radiography as volumes of one slice."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset

from ...errors import DataError, InputError
from ...geometry import Grid
from ...shapes import Array
from ..formats import is_dicom_file
from ..volume import Volume
from .header import READ_FAILURES, SliceHeader, element_numbers, element_text
from .pixels import read_pixels, stored_number

RADIOGRAPH_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1.1",
}
"""Computed Radiography, Digital X-Ray for presentation and for processing (DICOM PS3.4, annex B.5)."""

_TAGS = (
    *("PatientOrientation", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    *("PixelSpacingCalibrationType", "EstimatedRadiographicMagnificationFactor", "PresentationIntentType"),
    *("PhotometricInterpretation", "PresentationLUTShape", "PixelAspectRatio"),
    *("BitsAllocated", "BitsStored", "PixelRepresentation", "RescaleSlope", "RescaleIntercept"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "BurnedInAnnotation", "SpecificCharacterSet"),
)
_DIRECTIONS = {"L": (-1.0, 0.0), "R": (1.0, 0.0), "F": (0.0, -1.0), "H": (0.0, 1.0)}
"""Where a frontal picture is laid: the patient's left to the left, his feet to the back, as a PNG."""
_SAME_MM = 1e-4


@dataclass(frozen=True)
class _Values:
    """How stored numbers become values.

    Args:
        slope: of the modality.
        intercept: of the modality.
        lowest: stored number.
        highest: stored number.
        padding: first and last stored number that is no picture; None = all are.
    """

    slope: float
    intercept: float
    lowest: int
    highest: int
    padding: tuple[float, float] | None


def is_radiograph(path: Path) -> bool:
    """Whether a DICOM file says that it is an X-ray picture; a damaged one does not.

    Args:
        path: a file; anything but DICOM is none.
    """
    if not is_dicom_file(path):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that do not matter here
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"], force=True)
            return element_text(dataset, "SOPClassUID") in RADIOGRAPH_CLASSES
        except READ_FAILURES:
            return False


def choose_radiograph(headers: Sequence[SliceHeader], series: str | None, path: Path) -> SliceHeader:
    """The one picture that is meant.

    Args:
        headers: of radiographs, at least one.
        series: SeriesInstanceUID, or the number of a picture in the list that the error shows; `None` if there is
            only one.
        path: the folder.

    Raises:
        DataError: it is not clear which one is meant.
    """
    ordered = sorted(headers, key=lambda header: (header.series_uid, str(header.path)))
    if series is not None and series.isdigit() and 1 <= int(series) <= len(ordered):
        return ordered[int(series) - 1]
    elif series is not None:
        ordered = [header for header in ordered if header.series_uid == series] or ordered
    if len(ordered) == 1:
        return ordered[0]
    lines = [
        f"  {number}: {header.class_name}, {header.matrix[0]}x{header.matrix[1]} pixels (series number "
        f"{header.series_number or 'unknown'}, UID {header.series_uid})"
        for number, header in enumerate(ordered, start=1)
    ]
    finding = f"{path}: holds {len(ordered)} X-ray pictures, each of which is a scan of its own"
    raise DataError("\n".join([f"{finding}; ask for one of them by its number (--series):", *lines]))


def read_radiograph(header: SliceHeader) -> Volume:
    """A radiograph as a volume of one slice, bright where dense, laid like a picture file.

    Values are those of the modality; no VOI window is applied. MONOCHROME1 is inverted within the range that the
    stored bits allow. The pixel size is PixelSpacing, else that of the detector, with a note.

    Args:
        header: of a file whose SOP class is one of `RADIOGRAPH_CLASSES`.

    Raises:
        InputError: the file is damaged.
        DataError: it holds colours or several frames, or its numbers are none.

    Source:
        DICOM PS3.3, C.8.11.1 and 10.7.1 (basic pixel spacing calibration), C.7.6.3.1.2 (photometric
        interpretation), C.7.6.1.1.1 (patient orientation).
    """
    path = header.path
    if header.n_frames != 1 or header.n_samples != 1 or header.photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise DataError(
            f"{path}: the X-ray has {header.n_frames} frames, {header.photometric or 'no colours'}, expected one "
            "of MONOCHROME1 or MONOCHROME2; export it as a single grey picture"
        )
    dataset = _read_tags(path)
    notes: list[str] = []
    values = _without_padding(read_pixels(path), _values_of(dataset, path), header.photometric, notes)
    shape = element_text(dataset, "PresentationLUTShape").upper()
    if shape and (shape == "INVERSE") != (header.photometric == "MONOCHROME1"):
        notes.append(
            f"PresentationLUTShape {shape} does not fit {header.photometric}, which counts; dark and bright "
            "may be exchanged"
        )
    spacing_mm = _spacing_mm(dataset, path, notes)
    if element_text(dataset, "PresentationIntentType").upper() == "FOR PROCESSING":
        notes.append("raw values of the detector (for processing), not made to be looked at")
    if element_text(dataset, "BurnedInAnnotation").upper() == "YES":
        notes.append("the header says that text is burned into the pixels")
    array = values.T[..., None]
    whole = array.dtype.kind == "i" and array.min() >= -32768 and array.max() <= 32767
    array = np.ascontiguousarray(array.astype(np.int16 if whole else np.float32))
    affine = _affine(element_text(dataset, "PatientOrientation"), spacing_mm, notes)
    return Volume(array, Grid((array.shape[0], array.shape[1], 1), affine), "xray", tuple(notes), is_picture=True)


def _read_tags(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that we parse ourselves
        try:
            return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS), force=True)
        except READ_FAILURES as error:
            raise InputError(f"{path}: the DICOM header cannot be read ({error}); the file is damaged") from error


def _values_of(dataset: Dataset, path: Path) -> _Values:
    n_bits = int(dataset.get("BitsStored") or 16)
    is_signed = int(dataset.get("PixelRepresentation") or 0) == 1
    slope = (element_numbers(dataset, "RescaleSlope", path) or (1.0,))[0]
    intercept = (element_numbers(dataset, "RescaleIntercept", path) or (0.0,))[0]
    padding = None
    first = stored_number(dataset, "PixelPaddingValue", path)
    if first is not None:
        last = stored_number(dataset, "PixelPaddingRangeLimit", path)
        ends = (first, first if last is None else last)
        padding = (float(min(ends)), float(max(ends)))
    lowest = -(2 ** (n_bits - 1)) if is_signed else 0
    return _Values(slope, intercept, lowest, lowest + 2**n_bits - 1, padding)


def _without_padding(pixels: Array, values: _Values, photometric: str, notes: list[str]) -> Array:
    """The pixels, inverted if bright is low, with padding at their darkest."""
    is_padding = None
    if values.padding is not None:
        ends = sorted(number * values.slope + values.intercept for number in values.padding)
        is_padding = (pixels >= ends[0]) & (pixels <= ends[1])
    if photometric == "MONOCHROME1":
        total = (values.lowest + values.highest) * values.slope + 2 * values.intercept
        pixels = np.asarray(total, dtype=pixels.dtype) - pixels
        notes.append("MONOCHROME1, dark where values are high; inverted within the range of the stored bits")
    if is_padding is None or not is_padding.any() or is_padding.all():
        return pixels
    notes.append("padding around the picture is set to its darkest value")
    return np.where(is_padding, pixels[~is_padding].min(), pixels)


def _spacing_mm(dataset: Dataset, path: Path, notes: list[str]) -> tuple[float, float]:
    """Distance between columns and between rows."""
    pixel, imager, scanned = (
        _two_numbers(dataset, name, path)
        for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
    )
    calibration = element_text(dataset, "PixelSpacingCalibrationType").upper()
    if pixel is not None:
        is_imager = imager is not None and max(abs(a - b) for a, b in zip(pixel, imager, strict=True)) < _SAME_MM
        if calibration:
            notes.append(f"the size of a pixel is calibrated: {calibration.lower()}")
        elif is_imager:
            notes.append(_at_detector(dataset))
        return pixel[1], pixel[0]
    if imager is not None:
        notes.append(_at_detector(dataset))
        return imager[1], imager[0]
    if scanned is not None:
        notes.append(
            "the size of a pixel is that of the scanned film (NominalScannedPixelSpacing), not calibrated"
        )
        return scanned[1], scanned[0]
    notes.append("a pixel is taken as 1 mm, so lengths and volumes are in pixels: the header gives no size")
    aspect = _two_numbers(dataset, "PixelAspectRatio", path)
    if aspect is not None and aspect[0] != aspect[1]:
        notes.append(f"a pixel is {aspect[0] / aspect[1]:g} times as high as wide (PixelAspectRatio)")
        return 1.0, aspect[0] / aspect[1]
    return 1.0, 1.0


def _at_detector(dataset: Dataset) -> str:
    factor = element_text(dataset, "EstimatedRadiographicMagnificationFactor")
    said = f" (the header estimates it as {factor})" if factor else ""
    return (
        "the size of a pixel is that at the detector (ImagerPixelSpacing), not calibrated; lengths in the patient "
        f"are shorter by the magnification{said}"
    )


def _two_numbers(dataset: Dataset, keyword: str, path: Path) -> tuple[float, float] | None:
    numbers = element_numbers(dataset, keyword, path)
    if not numbers:
        return None
    if len(numbers) != 2 or not np.isfinite(numbers).all() or min(numbers) <= 0:
        raise DataError(f"{path}: {keyword} is {numbers}, expected two positive lengths in mm")
    return numbers[0], numbers[1]


def _affine(orientation: str, spacing_mm: tuple[float, float], notes: list[str]) -> npt.NDArray[np.float64]:
    """RAS+ mm from voxels; a frontal picture that the header calls mirrored or turned is laid accordingly."""
    letters = [part.strip().upper()[:1] for part in orientation.split("\\")]
    directions = [_DIRECTIONS.get(letter) for letter in letters]
    rows, columns = _DIRECTIONS["L"], _DIRECTIONS["F"]
    if len(directions) == 2 and directions[0] is not None and directions[1] is not None:
        is_right_angle = directions[0][0] * directions[1][0] + directions[0][1] * directions[1][1] == 0
        if is_right_angle:
            rows, columns = directions[0], directions[1]
    if (rows, columns) != (_DIRECTIONS["L"], _DIRECTIONS["F"]):
        notes.append(
            f"the header says that rows and columns run to {letters[0]} and {letters[1]}; laid accordingly"
        )
    affine = np.eye(4)
    affine[:2, 0] = np.array(rows) * spacing_mm[0]
    affine[:2, 1] = np.array(columns) * spacing_mm[1]
    return affine
