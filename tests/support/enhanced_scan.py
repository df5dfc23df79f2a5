"""Enhanced CT and MR images with the frames that slices of the tests describe."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage, ExplicitVRLittleEndian, RLELossless


def item(**values: Any) -> Dataset:
    """An item of a sequence."""
    one = Dataset()
    for keyword, value in values.items():
        setattr(one, keyword, value)
    return one


def functional_groups(spec: Any, number: int) -> Dataset:
    """What an enhanced image says of one of its frames."""
    return item(
        PlanePositionSequence=[item(ImagePositionPatient=[float(value) for value in spec.position])],
        PlaneOrientationSequence=[item(ImageOrientationPatient=[*spec.along_row, *spec.along_column])],
        PixelMeasuresSequence=[item(PixelSpacing=list(spec.pixel_spacing), SliceThickness=2.5)],
        PixelValueTransformationSequence=[
            item(RescaleSlope=f"{spec.slope:.10g}", RescaleIntercept=f"{spec.intercept:.10g}", RescaleType="HU")
        ],
        FrameContentSequence=[item(StackID="1", InStackPositionNumber=number, **spec.tags)],
    )


def write_enhanced(
    specs: list[Any], path: Path, sop_class: str = EnhancedCTImageStorage, compress: bool = False
) -> Path:
    """The path of one file with all slices as its frames."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, "1.2.3.5"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, "1.2.3.5"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = (
        "1.2.3",
        "1.2.3.4",
        "1.2.3.9",
    )
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    dataset.Rows, dataset.Columns = specs[0].matrix
    dataset.NumberOfFrames = len(specs)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 0
    groups = [functional_groups(spec, number) for number, spec in enumerate(specs, start=1)]
    shared = Dataset()
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence", "PixelValueTransformationSequence"):
        if all(group[keyword] == groups[0][keyword] for group in groups):
            shared[keyword] = groups[0][keyword]
            for group in groups:
                del group[keyword]
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    stored = [np.rint((spec.hounsfield() - spec.intercept) / spec.slope) for spec in specs]
    dataset.PixelData = np.stack(stored).astype("<u2").tobytes()
    if compress:
        dataset.compress(RLELossless, generate_instance_uid=False)
    path.parent.mkdir(exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
