"""An ordinary DICOM series from a volume, the same bytes each time."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
from pydicom.valuerep import DSfloat, format_number_as_ds

from ...errors import DataError, InputError
from ...shapes import Array, FloatArray
from ..lps import RAS_FROM_LPS
from ..volume import Volume

_MAX_COSINE = 1e-4
_MAX_STORED = 65535
_CT_INTERCEPT = -1024.0


@dataclass(frozen=True)
class _StoredScale:
    """Value = slope * stored + intercept; stored values are unsigned 16 bit."""

    slope: float
    intercept: float


def write_series(volume: Volume, folder: Path, *, seed_uid: str) -> None:
    """Write a CT or MR image series, one file per index of the third axis.

    Integers come back exactly; CT that is not whole is rounded to whole Hounsfield units, as scanners do; other
    MR is quantised to 65,536 steps. Nothing of the file depends on the time or the machine.

    Args:
        volume: modality "ct" or "mr", axes at right angles.
        folder: is created; must be empty or absent.
        seed_uid: all UIDs are hashes of this text, so that the same text gives the same series.

    Raises:
        DataError: the modality is unknown, the axes are not at right angles or a value is not finite.
        InputError: the folder has content or cannot be written.
    """
    _require_writable(volume, folder)
    values = np.asarray(volume.array, dtype=np.float64)
    if volume.modality == "ct":
        values = np.rint(values)
    scale = _fit_stored(values, volume.modality == "ct")
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        for index in range(volume.grid.shape[2]):
            stored = np.rint((values[:, :, index] - scale.intercept) / scale.slope).astype(np.uint16)
            dataset = _slice_dataset(volume, index, stored, scale, seed_uid)
            dataset.save_as(partial / f"slice_{index + 1:04d}.dcm", enforce_file_format=True)
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except OSError as error:
        raise InputError(f"{folder}: the series cannot be written ({error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _require_writable(volume: Volume, folder: Path) -> None:
    if volume.modality == "unknown":
        raise DataError(f"{folder}: a DICOM series needs a modality; set it to 'ct' or 'mr' on the volume")
    if not np.isfinite(volume.array).all():
        raise DataError(f"{folder}: the volume holds NaN or infinite voxels, which DICOM cannot store; fill them")
    linear = volume.grid.world_from_voxel[:3, :3] / np.array(volume.grid.spacing_mm)
    cosine = float(np.abs(linear.T @ linear - np.eye(3)).max())
    if cosine > _MAX_COSINE:
        degrees = np.degrees(np.arcsin(min(cosine, 1.0)))
        raise DataError(
            f"{folder}: the axes are {degrees:.3f} degrees off a right angle; a series needs right angles"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: exists and is not an empty folder; give another one or remove it")


def _fit_stored(values: FloatArray, is_ct: bool) -> _StoredScale:
    low, high = float(values.min()), float(values.max())
    intercept = min(low, _CT_INTERCEPT if is_ct else 0.0)
    whole = bool((values == np.rint(values)).all())
    if whole and high - intercept <= _MAX_STORED:
        return _StoredScale(1.0, intercept)
    text = format_number_as_ds(max(high - intercept, 1e-30) / _MAX_STORED)
    # Rounded up in the last of its 16 characters, so that the highest value still fits.
    return _StoredScale(float(text) * (1 + 1e-9), intercept)


def _slice_dataset(volume: Volume, index: int, stored: Array, scale: _StoredScale, seed_uid: str) -> FileDataset:
    sop_class = CTImageStorage if volume.modality == "ct" else MRImageStorage
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = _uid(seed_uid, f"slice {index}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.InstanceNumber = index + 1
    _set_identity(dataset, seed_uid)
    _set_acquisition(dataset, volume)
    _set_place(dataset, volume, index)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape[1], stored.shape[0]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = 0
    if volume.modality == "ct" or scale != _StoredScale(1.0, 0.0):
        dataset.RescaleIntercept = _ds(scale.intercept)
        dataset.RescaleSlope = _ds(scale.slope)
        dataset.RescaleType = "HU" if volume.modality == "ct" else "US"
    dataset.PixelData = np.ascontiguousarray(stored.T).astype("<u2").tobytes()
    return dataset


def _set_identity(dataset: FileDataset, seed_uid: str) -> None:
    dataset.PatientID = hashlib.sha256(seed_uid.encode()).hexdigest()[:10]
    dataset.PatientName = ""
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""
    dataset.StudyInstanceUID = _uid(seed_uid, "study")
    dataset.SeriesInstanceUID = _uid(seed_uid, "series")
    dataset.FrameOfReferenceUID = _uid(seed_uid, "frame of reference")
    dataset.StudyID = ""
    dataset.StudyDate = ""
    dataset.StudyTime = ""
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.PositionReferenceIndicator = ""
    dataset.Manufacturer = "medsegan"
    dataset.SeriesNumber = 1
    dataset.AcquisitionNumber = 1


def _set_acquisition(dataset: FileDataset, volume: Volume) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if volume.modality == "ct" else "OTHER"]
    if volume.modality == "ct":
        dataset.Modality = "CT"
        dataset.KVP = None
        return
    dataset.Modality = "MR"
    dataset.ScanningSequence = "RM"
    dataset.SequenceVariant = "NONE"
    dataset.ScanOptions = ""
    dataset.MRAcquisitionType = "2D"
    dataset.RepetitionTime = None
    dataset.EchoTime = None
    dataset.EchoTrainLength = None


def _set_place(dataset: FileDataset, volume: Volume, index: int) -> None:
    """DICOM PS3.3, C.7.6.2: columns run along our first axis, rows along our second."""
    affine = RAS_FROM_LPS @ volume.grid.world_from_voxel
    spacing = volume.grid.spacing_mm
    along_first, along_second = affine[:3, 0] / spacing[0], affine[:3, 1] / spacing[1]
    position = affine[:3, 3] + index * affine[:3, 2]
    dataset.ImageOrientationPatient = [_ds(number) for number in (*along_first, *along_second)]
    dataset.ImagePositionPatient = [_ds(number) for number in position]
    dataset.PixelSpacing = [_ds(spacing[1]), _ds(spacing[0])]
    dataset.SliceThickness = _ds(spacing[2])
    dataset.PatientPosition = "HFS"


def _uid(seed_uid: str, part: str) -> UID:
    """A UID derived from a UUID-sized hash (DICOM PS3.5, annex B.2)."""
    digest = hashlib.sha256(f"{seed_uid}|{part}".encode()).digest()
    return UID(f"2.25.{int.from_bytes(digest[:16], 'big')}")


def _ds(number: float) -> DSfloat:
    """A decimal string of at most 16 characters; -0 becomes 0."""
    return DSfloat(format_number_as_ds(float(number) + 0.0))
