"""Labels as a DICOM Segmentation of a series, by highdicom.

Source: DICOM PS3.3, A.51 (Segmentation IOD), C.8.20 (Segmentation modules), Supplement 243 (label maps).
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from ... import __version__
from ...errors import DataError, MedseganError
from ...shapes import LabelArray
from .new_uids import NewUids
from .numbers import decimal_strings
from .record import CHARACTERS, SERIES_DESCRIPTION, SERIES_NUMBERS, stamp
from .segments import Maker, Segment
from .source_series import SourceSeries

_CODE_OF_AI = ("123110", "DCM", "Artificial Intelligence")


def write_seg(
    array: LabelArray,
    segments: Sequence[Segment],
    source: SourceSeries,
    path: Path,
    kind: Literal["BINARY", "LABELMAP"],
    made: tuple[Maker, NewUids],
) -> None:
    """Write a segmentation whose frames are the slices of the series, pixel for pixel; empty ones are left out.

    Args:
        array: (columns, rows, slices) labels on the grid of the series.
        segments: the classes of the labels.
        source: the series.
        path: is written.
        kind: BINARY has a bit for each voxel of each class, LABELMAP one value for each voxel.
        made: how the labels were made, and the UIDs to give.

    Raises:
        MedseganError: highdicom is not installed.
        DataError: highdicom refuses.
    """
    maker, uids = made
    numbers = np.zeros(int(array.max()) + 1, dtype=np.uint16)
    for segment in segments:
        numbers[segment.value] = segment.number
    stored = numbers[array].transpose(2, 1, 0)
    hd = import_highdicom()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seg = hd.seg.Segmentation(
                source_images=_plain_slices(source),
                pixel_array=np.ascontiguousarray(stored),
                segmentation_type=kind,
                segment_descriptions=[_description(hd, segment, maker) for segment in segments],
                series_instance_uid=uids.of("series"),
                series_number=source.series_number + SERIES_NUMBERS,
                sop_instance_uid=uids.of("instance"),
                instance_number=1,
                manufacturer="medsegan",
                manufacturer_model_name="medsegan",
                software_versions=__version__,
                device_serial_number="0",
                content_label="SEGMENTATION",
                content_description="Segmentation",
                series_description=SERIES_DESCRIPTION,
                omit_empty_frames=True,
                specific_character_set=CHARACTERS,
            )
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{source.where}: no segmentation can be written for this series ({error})") from error
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    measures.SpacingBetweenSlices = decimal_strings([_step_mm(source)])[0]
    _refer(seg, source)
    stamp(seg, source, uids)
    for item in (*seg.DimensionOrganizationSequence, *seg.DimensionIndexSequence):
        item.DimensionOrganizationUID = uids.of("dimensions")
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")  # values of the source stay as they are
        seg.save_as(path, enforce_file_format=True)


def import_highdicom() -> Any:
    """The package that writes segmentations; imported when needed, since only this needs it.

    Raises:
        MedseganError: it is not installed.
    """
    try:
        import highdicom
    except ImportError as error:
        raise MedseganError(
            f"DICOM segmentations are written by highdicom, which cannot be imported ({error}); "
            'install it: pip install "medsegan[dicom]"'
        ) from error
    return highdicom


def _description(hd: Any, segment: Segment, maker: Maker) -> Any:
    category, kind, side = segment.concept
    coded = hd.sr.CodedConcept
    identification = hd.AlgorithmIdentificationSequence(
        name=maker.name, family=coded(*_CODE_OF_AI), version=maker.version
    )
    description = hd.seg.SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.name,
        segmented_property_category=coded(*category),
        segmented_property_type=coded(*kind),
        algorithm_type=maker.kind,
        algorithm_identification=None if maker.kind == "MANUAL" else identification,
        display_color=hd.color.CIELabColor.from_rgb(*segment.colour),
    )
    if side is not None:
        description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [side.item()]
    return description


def _plain_slices(source: SourceSeries) -> list[Dataset]:
    """The slices as highdicom wants them: well-formed numbers, one image each even where one file holds many.

    What they say of the patient is put in later, word for word; highdicom would refuse what scanners write.
    """
    plain = []
    first = source.placement.slices[0]
    for number, header in enumerate(source.placement.slices):
        one = Dataset()
        one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, f"2.25.{number + 1}"
        one.StudyInstanceUID, one.SeriesInstanceUID = source.record.StudyInstanceUID, source.series_uid
        one.FrameOfReferenceUID = source.frame_uid
        one.PatientID = one.PatientName = one.PatientBirthDate = one.PatientSex = ""
        one.StudyID = one.StudyDate = one.StudyTime = one.AccessionNumber = ""
        one.Modality = "CT"
        one.Rows, one.Columns = header.matrix
        one.ImagePositionPatient = decimal_strings(header.position)
        one.ImageOrientationPatient = decimal_strings(first.orientation)
        one.PixelSpacing = decimal_strings(first.pixel_spacing)
        one.SliceThickness = decimal_strings([first.thickness_mm or source.placement.grid.spacing_mm[2]])[0]
        plain.append(one)
    return plain


def _step_mm(source: SourceSeries) -> float:
    """The distance of the slices along their normal, which in a stack that is sheared is less than their step."""
    linear = source.placement.grid.world_from_voxel[:3, :3]
    normal = np.cross(linear[:, 0], linear[:, 1])
    return float(abs(linear[:, 2] @ normal) / np.linalg.norm(normal))


def _refer(seg: Dataset, source: SourceSeries) -> None:
    """Put the references to the true images in place of those to the plain slices."""
    by_plain = {f"2.25.{number}": one for number, one in enumerate(source.references, start=1)}
    for groups in seg.PerFrameFunctionalGroupsSequence:
        for derivation in groups.get("DerivationImageSequence") or ():
            for image in derivation.SourceImageSequence:
                plain = by_plain.get(str(image.ReferencedSOPInstanceUID))
                if plain is not None:  # frames of several segments share an item, which is then right already
                    image.update(plain.item())
    seg.SourceImageSequence = [one.item() for one in source.instances]
    series = Dataset()
    series.SeriesInstanceUID = source.series_uid
    series.ReferencedInstanceSequence = [one.item() for one in source.instances]
    seg.ReferencedSeriesSequence = [series]
