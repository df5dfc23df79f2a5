"""A generated CT of a trunk on a couch, as a hospital's archive would hand it out."""

from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid
from scipy import ndimage

SPACING_MM = (0.8, 0.8, 2.0)
_NOISE_HU = 20.0


def make_volume(shape: tuple[int, int, int]) -> npt.NDArray[np.int16]:
    """(columns, rows, slices) Hounsfield units: organs, fat, spine and lungs in air, with noise."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape[:2]), indexing="ij")
    radius = (x / 0.75) ** 2 + (y / 0.55) ** 2
    organs = ndimage.zoom(
        rng.normal(size=(12, 12, 10)).astype(np.float32),
        [n / m for n, m in zip(shape, (12, 12, 10), strict=True)],
        order=1,
    )
    volume = np.empty(shape, dtype=np.int16)
    for index in range(shape[2]):
        hu = np.where(
            radius < 1, np.where(radius > 0.8, -100, 50 + 60 * np.clip(organs[:, :, index], -1, 1)), -1000
        )
        hu[(x / 0.1) ** 2 + ((y - 0.35) / 0.1) ** 2 < 1] = 400
        if index > 0.7 * shape[2]:
            hu[((np.abs(x) - 0.35) / 0.2) ** 2 + (y / 0.35) ** 2 < 1] = -850
        hu[(np.abs(y - 0.68) < 0.01) & (np.abs(x) < 0.6)] = 300
        noisy = hu + rng.normal(scale=_NOISE_HU, size=hu.shape)
        volume[:, :, index] = np.clip(np.rint(noisy), -1024, 3071)
    return volume


def write_dicom(volume: npt.NDArray[np.int16], folder: Path, *, compressed: bool = False) -> None:
    """Write a file for each slice: explicit little endian, or lossless JPEG 2000; some hundred elements each."""
    folder.mkdir(parents=True)
    uids = {name: generate_uid(entropy_srcs=["medsegan", name]) for name in ("study", "series", "frame")}
    for index in range(volume.shape[2]):
        dataset = _header(index, uids)
        dataset.Rows, dataset.Columns = volume.shape[1], volume.shape[0]
        dataset.PixelData = (
            np.ascontiguousarray(volume[:, :, index].T.astype(np.int32) + 1024).astype("<u2").tobytes()
        )
        if compressed:
            dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
        dataset.save_as(folder / f"IM{index:06d}.dcm", enforce_file_format=True)


def write_nifti(volume: npt.NDArray[np.int16], path: Path) -> None:
    """Write the same volume as one compressed file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(volume, np.diag([-SPACING_MM[0], -SPACING_MM[1], SPACING_MM[2], 1.0]))
    nib.save(image, path)


def _header(index: int, uids: dict[str, str]) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["medsegan", str(index)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uids["study"], uids["series"]
    dataset.FrameOfReferenceUID = uids["frame"]
    dataset.PatientID, dataset.PatientName = "phantom", "phantom"
    dataset.Modality, dataset.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesNumber, dataset.AcquisitionNumber, dataset.InstanceNumber = 3, 1, index + 1
    dataset.ImagePositionPatient = [0.0, 0.0, index * SPACING_MM[2]]
    dataset.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    dataset.PixelSpacing, dataset.SliceThickness = [SPACING_MM[1], SPACING_MM[0]], SPACING_MM[2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
    _add_ballast(dataset)
    return dataset


def _add_ballast(dataset: Dataset) -> None:
    """What scanners write besides: dates, doses, sequences, and a private group."""
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = "20200101"
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "120000.000000"
    dataset.Manufacturer, dataset.InstitutionName, dataset.StationName = "medsegan", "phantoms", "CT1"
    dataset.StudyDescription = dataset.SeriesDescription = dataset.ProtocolName = "abdomen"
    dataset.PatientSex, dataset.PatientAge, dataset.PatientPosition = "O", "050Y", "HFS"
    dataset.KVP, dataset.XRayTubeCurrent, dataset.ExposureTime, dataset.Exposure = 120, 250, 500, 125
    dataset.DataCollectionDiameter, dataset.ReconstructionDiameter = 500, 410
    dataset.ConvolutionKernel, dataset.FilterType, dataset.GantryDetectorTilt = "B30f", "FLAT", 0
    dataset.WindowCenter, dataset.WindowWidth = [40, -600], [400, 1200]
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113820", "DCM", "CT Acquisition Type"
    referenced = Dataset()
    referenced.ReferencedSOPClassUID, referenced.ReferencedSOPInstanceUID = CTImageStorage, generate_uid()
    referenced.PurposeOfReferenceCodeSequence = Sequence([code])
    dataset.ReferencedImageSequence = Sequence([referenced] * 3)
    dataset.ProcedureCodeSequence = Sequence([code])
    block = dataset.private_block(0x0029, "MEDSEGAN BENCHMARK", create=True)
    for element in range(40):
        block.add_new(element, "LO" if element % 4 else "OB", "private text" if element % 4 else bytes(512))
