"""The pixels of a slice in the units of its modality."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813 (the name everybody knows it by)
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEGExtended12Bit

from ...errors import DataError, InputError
from ...shapes import Array
from .decoders import advice_on
from .header import element_numbers, element_text

_FAILURES = (ValueError, RuntimeError, AttributeError, NotImplementedError, KeyError, OSError, EOFError, TypeError)


def read_pixels(path: Path) -> Array:
    """(rows, columns) values of one slice after its own slope and intercept; Hounsfield units for CT.

    Returns:
        int32 where slope and intercept are whole numbers, else float64. No VOI window is ever applied.

    Raises:
        InputError: the file is damaged or cut off.
        DataError: the compression cannot be decoded, or the values cannot be scaled.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that we parse ourselves, and of padding behind the pixels
        try:
            dataset = pydicom.dcmread(path, force=True)
        except _FAILURES as error:
            raise InputError(f"{path}: the file cannot be read ({error}); it is damaged or cut off") from error
        return _scaled_pixels(dataset, path)


def _scaled_pixels(dataset: Dataset, path: Path) -> Array:
    if "ModalityLUTSequence" in dataset:
        raise DataError(
            f"{path}: values are scaled by a Modality LUT, which is not supported; export with a slope"
        )
    slope, intercept = _rescale(dataset, path)
    syntax = _syntax_of(dataset)
    if _needs_other_decoder(dataset, syntax):
        return _decode_with_itk(dataset, path, syntax)
    try:
        stored = dataset.pixel_array
    except _FAILURES as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{path}: the pixels ({syntax.name}, {syntax}) cannot be read: {reason}; is it damaged or cut off?"
        ) from error
    _require_matrix(stored, dataset, path)
    if float(slope).is_integer() and float(intercept).is_integer() and stored.dtype.kind in "iu":
        return stored.astype(np.int32) * np.int32(slope) + np.int32(intercept)
    return stored.astype(np.float64) * slope + intercept


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
    if not np.isfinite([slope[0], intercept[0]]).all() or slope[0] == 0:
        raise DataError(f"{path}: RescaleSlope {slope[0]} and RescaleIntercept {intercept[0]} are no scale")
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
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    try:
        values = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise DataError(
            f"{path}: the compression {syntax.name} ({syntax}) cannot be decoded here; {advice_on(syntax)}"
        ) from error
    values = values[0] if values.ndim == 3 and values.shape[0] == 1 else values
    _require_matrix(values, dataset, path)
    if values.dtype.kind in "iu":
        return values.astype(np.int32)
    return values.astype(np.float64)


def _require_matrix(values: Array, dataset: Dataset, path: Path) -> None:
    expected = (int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0))
    if values.shape != expected:
        found = element_text(dataset, "PhotometricInterpretation")
        raise DataError(f"{path}: the pixels have shape {values.shape} ({found}), the header says {expected}")
