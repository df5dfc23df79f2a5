"""The pixels of a slice in the units of its modality."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, JPEGExtended12Bit

from ...errors import DataError, InputError
from ...shapes import Array
from ..volume import Modality
from .decoders import advice_on
from .frames import ENHANCED_CLASSES, split_frames
from .header import MODALITY_OF_CLASS, READ_FAILURES, SliceHeader, element_numbers, element_text
from .native import HIGHEST_TISSUE_HU

AIR = -1024.0
"""Hounsfield units outside of the field of view of a CT."""
_HALF_INT32 = 2**30


def read_pixels(path: Path, frame: int | None = None) -> Array:
    """(rows, columns) values of one slice after its own slope and intercept; Hounsfield units for CT.

    Args:
        path: the file.
        frame: index of the picture in an enhanced image; None = the file holds one slice.

    Returns:
        int32 where slope and intercept are whole numbers, else float64. No VOI window is ever
        applied.

    Raises:
        InputError: the file is damaged or cut off.
        DataError: the compression cannot be decoded, or the values cannot be scaled.
    """
    return _decode(_open(path), frame).values


class PlaneReader:
    """Reads slices one after another; a file with many frames is opened once where they follow each other."""

    def __init__(self) -> None:
        self._file: _OpenFile | None = None

    def read(self, header: SliceHeader) -> Array:
        """The pixels of a slice as `read_pixels` gives them, with padding as background.

        Padding (PixelPaddingValue) becomes air in CT and 0 or the lowest value in MR; a padding value of CT that
        tissue could have is not believed, and what lies below air stays.

        Raises:
            InputError, DataError: see `read_pixels`.
        """
        if self._file is None or header.path != self._file.path:
            self._file = _open(header.path)
        return _without_padding(_decode(self._file, header.frame), MODALITY_OF_CLASS[header.sop_class])


@dataclass(frozen=True, eq=False)
class _Decoded:
    """Values of a slice, and where they are padding; None = nowhere."""

    values: Array
    is_padding: Array | None = None


@dataclass(frozen=True, eq=False)
class _OpenFile:
    """A file with the headers of its frames; none where it holds one slice."""

    path: Path
    dataset: Dataset
    frames: list[Dataset]


def _open(path: Path) -> _OpenFile:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that we parse ourselves
        try:
            dataset = pydicom.dcmread(path, force=True)
            is_enhanced = element_text(dataset, "SOPClassUID") in ENHANCED_CLASSES
            return _OpenFile(path, dataset, split_frames(dataset, path) if is_enhanced else [])
        except READ_FAILURES as error:
            raise InputError(f"{path}: the file cannot be read ({error}); it is damaged or cut off") from error


def _decode(file: _OpenFile, frame: int | None) -> _Decoded:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that we parse ourselves, and of padding behind the pixels
        try:
            scales = file.dataset if frame is None else file.frames[frame]
            return _scaled_pixels(file.dataset, scales, file.path, frame)
        except READ_FAILURES as error:
            raise InputError(
                f"{file.path}: the file cannot be read ({error}); it is damaged or cut off"
            ) from error


def _scaled_pixels(dataset: Dataset, scales: Dataset, path: Path, frame: int | None) -> _Decoded:
    if "ModalityLUTSequence" in dataset:
        raise DataError(
            f"{path}: values are scaled by a Modality LUT, which is not supported; export with a slope"
        )
    _require_bits(dataset, path)
    slope, intercept = _rescale(scales, path)
    syntax = _syntax_of(dataset)
    if _needs_other_decoder(dataset, syntax):
        if frame is not None:  # the other decoder knows one scale for all frames
            raise _no_decoder(path, syntax)
        values = _decode_with_itk(dataset, path, syntax)
        return _Decoded(values, _padding(np.rint((values - intercept) / slope), dataset, path))
    _require_length(dataset, path, syntax)
    try:
        stored = pixel_array(dataset) if frame is None else pixel_array(dataset, index=frame)
    except READ_FAILURES as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: the pixels ({syntax.name}, {syntax}) cannot be read: {reason}; is it damaged or cut off?"
        ) from error
    _require_matrix(stored, dataset, path)
    if not syntax.is_compressed and int(dataset.BitsStored) < int(dataset.BitsAllocated):
        stored = _with_padding_whole(stored, dataset, frame, path)
    padding = _padding(stored, dataset, path)
    if float(slope).is_integer() and float(intercept).is_integer() and _fits_int32(stored, slope, intercept):
        return _Decoded(stored.astype(np.int32) * np.int32(slope) + np.int32(intercept), padding)
    return _Decoded(stored.astype(np.float64) * slope + intercept, padding)


def _fits_int32(stored: Array, slope: float, intercept: float) -> bool:
    """Whether no step of the scaling leaves the range of 32 bits, in which it would wrap around unseen."""
    if stored.dtype.kind not in "iu":
        return False
    largest = max(abs(int(stored.min(initial=0))), abs(int(stored.max(initial=0))))
    return max(largest, largest * abs(slope), abs(intercept)) < _HALF_INT32


def _require_bits(dataset: Dataset, path: Path) -> None:
    """The header says which bits of a pixel are its value; a contradiction would change every value unseen."""
    allocated, stored = int(dataset.get("BitsAllocated") or 0), int(dataset.get("BitsStored") or 0)
    high = dataset.get("HighBit")
    if not 1 <= stored <= allocated or (high is not None and int(high) != stored - 1):
        raise DataError(
            f"{path}: BitsAllocated {allocated}, BitsStored {stored} and HighBit {high} contradict each other or "
            "are of a kind that is not read; expected HighBit to be BitsStored - 1. Export the series again"
        )


def _require_length(dataset: Dataset, path: Path, syntax: UID) -> None:
    """Bytes behind the pixels are left out by the decoder; a row of them or more means another size or depth."""
    if (syntax.is_compressed and not syntax.is_deflated) or "PixelData" not in dataset:
        return
    row = int(dataset.Columns) * int(dataset.BitsAllocated) // 8 * int(dataset.get("SamplesPerPixel") or 1)
    expected = row * int(dataset.Rows) * int(float(dataset.get("NumberOfFrames") or 1))
    found = len(dataset.PixelData)
    if found - expected >= max(row, 2):
        raise DataError(
            f"{path}: the pixels have {found - expected} more bytes than the {expected} that the header asks for; "
            "its Rows, Columns or BitsAllocated may be wrong. Export the series again"
        )


def _with_padding_whole(stored: Array, dataset: Dataset, frame: int | None, path: Path) -> Array:
    """The stored values, which have lost the bits above BitsStored, with these bits for padding.

    Such bits hold nothing, the sign, a padding value, or an overlay that the header declares (DICOM PS3.5, section
    8.1.1).

    Raises:
        DataError: they hold something else, so that the values would be cut off.
    """
    raw = pixel_array(dataset, index=frame, correct_unused_bits=False).astype(np.int64)
    n_bits = int(dataset.BitsStored)
    above = raw >> n_bits
    is_odd = above != 0
    if dataset.get("PixelRepresentation") == 1:
        is_odd &= raw >> (n_bits - 1) != -1
    padding = stored_number(dataset, "PixelPaddingValue", path)
    is_padding = raw == padding if padding is not None else np.zeros(raw.shape, dtype=np.bool_)
    is_odd &= ~is_padding
    overlays = [dataset[group, 0x0102].value for group in range(0x6000, 0x6020, 2) if (group, 0x0102) in dataset]
    if is_odd.any() and not any(int(position or 0) >= n_bits for position in overlays):
        raise DataError(
            f"{path}: {int(is_odd.sum())} pixels use more than the {n_bits} bits of BitsStored, up to "
            f"{int(raw.max())}, and no overlay is declared; the values would be cut off. Export the series again"
        )
    return np.where(is_padding, raw, stored)


def _padding(stored: Array, dataset: Dataset, path: Path) -> Array | None:
    """Where a slice is padding (DICOM PS3.3, C.7.5.1.1.2); a limit makes it a range."""
    first = stored_number(dataset, "PixelPaddingValue", path)
    if first is None:
        return None
    last = stored_number(dataset, "PixelPaddingRangeLimit", path)
    last = first if last is None else last
    found = (stored >= min(first, last)) & (stored <= max(first, last))
    return found if found.any() else None


def stored_number(dataset: Dataset, keyword: str, path: Path) -> int | None:
    """A number of the type of the pixels; writers mix up signed and unsigned, which is undone here."""
    if keyword not in dataset or dataset[keyword].value in (None, ""):
        return None
    try:
        number = int(dataset[keyword].value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {keyword} is no number; the header is damaged") from error
    is_signed = int(dataset.get("PixelRepresentation") or 0) == 1
    if is_signed and number > 32767:
        return number - 65536 if int(dataset.BitsAllocated) <= 16 else number
    return number + 2 ** int(dataset.BitsAllocated) if not is_signed and number < 0 else number


def _without_padding(decoded: _Decoded, modality: Modality) -> Array:
    values, padding = decoded.values, decoded.is_padding
    if padding is None:
        return values
    if modality == "ct":
        beyond = padding & (values > HIGHEST_TISSUE_HU)
        return np.where(beyond, np.asarray(AIR, dtype=values.dtype), values) if beyond.any() else values
    rest = values[~padding]
    beside = values[padding]
    # A value that lies among those of tissue is no padding, whatever the header says.
    if len(rest) and beside.max() >= rest.min() and beside.min() <= rest.max():
        return values
    lowest = min(0.0, float(rest.min(initial=0.0)))
    return np.where(padding, np.asarray(lowest, dtype=values.dtype), values)


def _syntax_of(dataset: Dataset) -> UID:
    """The transfer syntax; a file without meta header is implicit little endian unless pydicom saw otherwise."""
    meta = getattr(dataset, "file_meta", None)
    if meta is not None and "TransferSyntaxUID" in meta:
        return UID(meta.TransferSyntaxUID)
    implicit, little = dataset.original_encoding
    syntax = UID("1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2")
    dataset.ensure_file_meta()
    dataset.file_meta.TransferSyntaxUID = syntax
    return syntax


def _rescale(dataset: Dataset, path: Path) -> tuple[float, float]:
    slope = element_numbers(dataset, "RescaleSlope", path) or (1.0,)
    intercept = element_numbers(dataset, "RescaleIntercept", path) or (0.0,)
    if len(slope) > 1 or len(intercept) > 1 or slope[0] == 0:
        raise DataError(f"{path}: RescaleSlope {slope} and RescaleIntercept {intercept} are no scale")
    return slope[0], intercept[0]


def _needs_other_decoder(dataset: Dataset, syntax: UID) -> bool:
    """Whether pydicom has no plugin here; Pillow claims 12-bit JPEG but decodes only 8 bits of it.

    Other failures are not passed on: a second decoder might make something of a damaged file.
    """
    if not syntax.is_compressed or syntax.is_deflated:
        return False
    if syntax == JPEGExtended12Bit and int(dataset.get("BitsStored") or 0) > 8:
        return True
    try:
        return not get_decoder(syntax).is_available
    except NotImplementedError:
        return True


def _decode_with_itk(dataset: Dataset, path: Path, syntax: UID) -> Array:
    """GDCM inside SimpleITK decodes most syntaxes and scales the values itself."""
    if any("," in element_text(dataset, name) for name in ("RescaleSlope", "RescaleIntercept")):
        raise _no_decoder(path, syntax)  # it would cut the scale off at the comma
    import SimpleITK as sitk  # noqa: N813 (takes 90 MB, and few scans need it)

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        values = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise _no_decoder(path, syntax) from error
    values = values[0] if values.ndim == 3 and values.shape[0] == 1 else values
    _require_matrix(values, dataset, path)
    if values.dtype.kind in "iu":
        return values.astype(np.int32)
    return values.astype(np.float64)


def _no_decoder(path: Path, syntax: UID) -> DataError:
    return DataError(
        f"{path}: the compression {syntax.name} ({syntax}) cannot be decoded here; {advice_on(syntax)}"
    )


def _require_matrix(values: Array, dataset: Dataset, path: Path) -> None:
    expected = (int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0))
    if values.shape != expected:
        found = element_text(dataset, "PhotometricInterpretation")
        raise DataError(f"{path}: the pixels have shape {values.shape} ({found}), the header says {expected}")
