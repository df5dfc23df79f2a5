"""The series that labels are written for: its slices, its place, and what of its patient goes into new objects."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from ...errors import DataError, InputError
from ..archive import open_archive
from ..formats import format_of
from .header import READ_FAILURES, element_text
from .place import Placement
from .read import place_series

PATIENT_AND_STUDY = (
    *(
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
        "OtherPatientIDsSequence",
    ),
    *("PatientBirthTime", "EthnicGroup", "PatientComments", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("DeidentificationMethodCodeSequence", "PatientSpeciesDescription", "PatientSpeciesCodeSequence"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
    *("IssuerOfAccessionNumberSequence", "StudyDescription", "PatientAge", "PatientSize", "PatientWeight"),
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID"),
    *("ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID"),
    *("ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription", "LongitudinalTemporalInformationModified"),
)
"""What is taken over as it is (DICOM PS3.3, C.7.1.1, C.7.1.3, C.7.2.1, C.7.2.2, C.7.2.3)."""
_REQUIRED = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime"),
    *("StudyID", "AccessionNumber", "ReferringPhysicianName"),
)
"""Of these, what must be there even if it is empty (type 2)."""
_FRAME = ("FrameOfReferenceUID", "PositionReferenceIndicator")
_UNIVERSAL_TIME = "TimezoneOffsetFromUTC"


@dataclass(frozen=True)
class SliceReference:
    """Which image a slice is: class and instance UID, and the number of its frame if the image has many."""

    sop_class: str
    instance_uid: str
    frame_number: int | None

    def item(self) -> Dataset:
        """An item of a sequence of references (DICOM PS3.3, section 10.3)."""
        item = Dataset()
        item.ReferencedSOPClassUID = self.sop_class
        item.ReferencedSOPInstanceUID = self.instance_uid
        if self.frame_number is not None:
            item.ReferencedFrameNumber = self.frame_number
        return item


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """The slices that labels belong to.

    Args:
        where: the folder or file, for messages.
        placement: the slices in their order, and their grid.
        references: of the slices, in the same order.
        record: patient, study and frame of reference, in UTF-8; everything that identifies the patient is in here.
        series_uid: SeriesInstanceUID.
        series_number: SeriesNumber; 0 if there is none.
    """

    where: str
    placement: Placement
    references: tuple[SliceReference, ...]
    record: Dataset
    series_uid: str
    series_number: int

    @property
    def instances(self) -> list[SliceReference]:
        """The images that the slices lie in, each once."""
        return list(
            dict.fromkeys(SliceReference(one.sop_class, one.instance_uid, None) for one in self.references)
        )

    @property
    def frame_uid(self) -> str:
        """FrameOfReferenceUID, which says what the positions are relative to."""
        return str(self.record.FrameOfReferenceUID)


@contextmanager
def open_source(path: Path, series: str | None = None) -> Iterator[SourceSeries]:
    """The series in a folder, zip archive or file; an archive is laid open as long as the source is.

    Args:
        path: as `read_volume` takes it.
        series: which series, as `read_volume` takes it.

    Raises:
        InputError: nothing is there, or it is damaged.
        DataError: it is no DICOM, no volume, not clear which one is meant, or nothing says what it is relative to.
    """
    kind = format_of(path) if path.exists() else None
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    if kind == "zip":
        with open_archive(path) as folder:
            yield _read_source(folder, series, str(path))
        return
    if kind != "dicom":
        raise DataError(f"{path}: labels are written as DICOM for a series of DICOM images; this is none")
    yield _read_source(path, series, str(path))


def _read_source(path: Path, series: str | None, where: str) -> SourceSeries:
    placement = place_series(path, series)
    files = dict.fromkeys(header.path for header in placement.slices)
    uids = {file: _instance_uid(file) for file in files}
    references = tuple(
        SliceReference(header.sop_class, uids[header.path], None if header.frame is None else header.frame + 1)
        for header in placement.slices
    )
    first = placement.slices[0]
    record = _read_record(first.path)
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID"):
        if not record.get(keyword):
            raise DataError(
                f"{where}: the series has no {keyword}, so no DICOM object can be tied to it; write NIfTI instead"
            )
    if not first.series_uid:
        raise DataError(f"{where}: the series has no SeriesInstanceUID, so no DICOM object can refer to it")
    number = int(first.series_number) if first.series_number.isdigit() else 0
    return SourceSeries(where, placement, references, record, first.series_uid, number)


def _instance_uid(path: Path) -> str:
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"], force=True)
        uid = element_text(header, "SOPInstanceUID")
    except READ_FAILURES as error:
        raise InputError(f"{path}: the DICOM header cannot be read ({error}); the file is damaged") from error
    if not uid:
        raise DataError(f"{path}: the image has no SOPInstanceUID, so nothing can refer to it")
    return uid


def _read_record(path: Path) -> Dataset:
    """Patient, study and frame of reference of an image, word for word, in Unicode."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the scanner wrote is kept, whatever pydicom thinks of it
            tags = [*PATIENT_AND_STUDY, *_FRAME, _UNIVERSAL_TIME]
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags, force=True)
            with pydicom.config.disable_value_validation():
                return _in_unicode(header, tags)
    except READ_FAILURES as error:
        raise InputError(f"{path}: the DICOM header cannot be read ({error}); the file is damaged") from error


def _in_unicode(header: Dataset, keywords: list[str]) -> Dataset:
    header.decode()
    record = Dataset()
    for keyword in keywords:
        if keyword in header:
            record.add(_plain(header[keyword]))
        elif keyword in _REQUIRED:
            setattr(record, keyword, "")
    return record


def _plain(element: DataElement) -> DataElement:
    """The element without its bytes of another character set."""
    if element.VR == "PN":
        names = [str(name) for name in element.value] if element.VM > 1 else str(element.value or "")
        return DataElement(element.tag, "PN", names)
    if element.VR == "SQ":
        items = []
        for item in element.value:
            copied = Dataset()
            for inner in item:
                copied.add(_plain(inner))
            items.append(copied)
        return DataElement(element.tag, "SQ", Sequence(items))
    return element
