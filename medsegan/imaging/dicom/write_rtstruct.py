"""Labels as a DICOM RT structure set of a series: contours along the edges of the pixels.

Source: DICOM PS3.3, A.19 (RT Structure Set IOD), C.8.8.5 (Structure Set module), C.8.8.6 (ROI Contour module),
C.8.8.8 (RT ROI Observations module).
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID, ImplicitVRLittleEndian

from ... import __version__
from ...shapes import Array, FloatArray, LabelArray
from ..lps import RAS_FROM_LPS
from ..outlines import trace_outlines
from .codes import ANATOMY
from .new_uids import NewUids
from .place import Placement
from .record import SERIES_DESCRIPTION, SERIES_NUMBERS, stamp
from .rtstruct import RTSTRUCT_CLASS
from .segments import Maker, Segment
from .source_series import SliceReference, SourceSeries

_DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"
"""SOP class by which structure sets refer to a study (retired, yet what PS3.3, C.8.8.5 still asks for)."""
_CONTOUR_DATA = Tag("ContourData")
_PARTS_OF_A_VOXEL = 1000


def write_rtstruct(
    array: LabelArray,
    segments: Sequence[Segment],
    source: SourceSeries,
    path: Path,
    made: tuple[Maker, NewUids],
) -> None:
    """Write a structure set with a region for each class, its contours in the planes of the slices of the series.

    A hole is a contour within another one: filled by the even-odd rule, the contours of a slice give exactly the
    voxels of the class. Numbers of regions are the values of the labels. The file is in implicit little endian,
    the one transfer syntax in which a contour may be longer than 64 KB.

    Args:
        array: (columns, rows, slices) labels on the grid of the series.
        segments: the classes of the labels.
        source: the series.
        path: is written.
        made: how the labels were made, and the UIDs to give.
    """
    maker, uids = made
    dataset = _new_dataset(source, uids)
    dataset.StructureSetLabel, dataset.StructureSetName = "SEGMENTATION", "Segmentation"
    dataset.StructureSetDate = dataset.StructureSetTime = ""
    dataset.ReferencedFrameOfReferenceSequence = [_frame_of_reference(source)]
    images = _images_of_planes(source)
    rois, contours, observations = [], [], []
    for segment in segments:
        rois.append(_roi(segment, source.frame_uid, maker))
        contours.append(_contours(array == segment.value, segment, source.placement, images))
        observations.append(_observation(segment))
    dataset.StructureSetROISequence = rois
    dataset.ROIContourSequence = contours
    dataset.RTROIObservationsSequence = observations
    dataset.ApprovalStatus = "UNAPPROVED"
    stamp(dataset, source, uids)
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")  # values of the source stay as they are
        dataset.save_as(path, enforce_file_format=True)


def _new_dataset(source: SourceSeries, uids: NewUids) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(RTSTRUCT_CLASS)
    meta.MediaStorageSOPInstanceUID = UID(uids.of("instance"))
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID(RTSTRUCT_CLASS), meta.MediaStorageSOPInstanceUID
    dataset.InstanceCreationDate = dataset.InstanceCreationTime = ""
    dataset.Modality = "RTSTRUCT"
    dataset.SeriesInstanceUID = uids.of("series")
    dataset.SeriesNumber, dataset.InstanceNumber = source.series_number + SERIES_NUMBERS, 1
    dataset.SeriesDescription = SERIES_DESCRIPTION
    dataset.OperatorsName = ""
    dataset.Manufacturer = dataset.ManufacturerModelName = "medsegan"
    dataset.SoftwareVersions = __version__
    return dataset


def _frame_of_reference(source: SourceSeries) -> Dataset:
    """The study, the series and its images that the contours lie on."""
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = source.series_uid
    series.ContourImageSequence = [one.item() for one in source.instances]
    study.ReferencedSOPClassUID = _DETACHED_STUDY
    study.ReferencedSOPInstanceUID = source.record.StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = source.frame_uid
    frame.RTReferencedStudySequence = [study]
    return frame


def _images_of_planes(source: SourceSeries) -> dict[int, SliceReference]:
    """Index of a slice of the grid -> the image in that plane; none for slices that were interpolated."""
    repair = source.placement.straightening
    if repair is None:
        return dict(enumerate(source.references))
    images = {}
    for height, reference in zip(repair.heights, source.references, strict=True):
        index = round(float(height))
        if abs(float(height) - index) <= repair.tolerance:
            images[index] = reference
    return images


def _roi(segment: Segment, frame_uid: str, maker: Maker) -> Dataset:
    roi = Dataset()
    roi.ROINumber, roi.ROIName = segment.number, segment.name
    roi.ReferencedFrameOfReferenceUID = frame_uid
    roi.ROIGenerationAlgorithm = maker.kind
    if maker.kind != "MANUAL":
        roi.ROIGenerationDescription = f"{maker.name} {maker.version}"[:64]
    return roi


def _contours(mask: Array, segment: Segment, placement: Placement, images: dict[int, SliceReference]) -> Dataset:
    lps_from_voxel = RAS_FROM_LPS @ placement.grid.world_from_voxel
    n_decimals = int(np.ceil(np.log10(_PARTS_OF_A_VOXEL / min(placement.grid.spacing_mm))))
    item = Dataset()
    item.ReferencedROINumber = segment.number
    item.ROIDisplayColor = list(segment.colour)
    sequence: list[Dataset] = []
    for index in np.flatnonzero(mask.any(axis=(0, 1))):
        for curve in trace_outlines(mask[:, :, index]):
            points = np.column_stack([curve, np.full(len(curve), index)])
            world = points @ lps_from_voxel[:3, :3].T + lps_from_voxel[:3, 3]
            sequence.append(_contour(world, n_decimals, images.get(int(index)), len(sequence) + 1))
    item.ContourSequence = sequence
    return item


def _contour(world: FloatArray, n_decimals: int, image: SliceReference | None, number: int) -> Dataset:
    contour = Dataset()
    if image is not None:
        contour.ContourImageSequence = [image.item()]
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(world)
    contour.ContourNumber = number
    text = "\\".join(f"{one:.{n_decimals}f}" for one in world.ravel()).encode()
    text += b" " * (len(text) % 2)
    # As the bytes of the file: pydicom would take a hundred times as long to turn each number into an object.
    contour[_CONTOUR_DATA] = RawDataElement(_CONTOUR_DATA, "DS", len(text), text, 0, True, True)
    return contour


def _observation(segment: Segment) -> Dataset:
    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = segment.number
    observation.ROIObservationLabel = segment.name[:16].strip()
    category, kind, side = segment.concept
    coded = kind.item()
    if side is not None:
        coded.SegmentedPropertyTypeModifierCodeSequence = [side.item()]
    observation.RTROIIdentificationCodeSequence = [coded]
    observation.RTROIInterpretedType = "ORGAN" if category == ANATOMY else ""
    observation.ROIInterpreter = ""
    return observation
