"""The record that a new object belongs to: patient, study, frame of reference, and when it was made."""

from datetime import datetime

from pydicom.dataset import Dataset

from .new_uids import NewUids
from .source_series import SourceSeries

SERIES_NUMBERS = 1000
"""Added to the number of the series, so that what is made of a series stands apart from those of the scanner."""
SERIES_DESCRIPTION = "medsegan segmentation"
CHARACTERS = "ISO_IR 192"
"""Unicode in UTF-8 (DICOM PS3.3, C.12.1.1.2)."""


def stamp(dataset: Dataset, source: SourceSeries, uids: NewUids) -> None:
    """Give a new object its patient, study and frame of reference, and the time it was made.

    Where UIDs are reproducible, the time is that of the study, since equal UIDs stand for equal content.

    Args:
        dataset: is changed.
        source: the series it is made for.
        uids: of the object.
    """
    for element in source.record:
        dataset[element.tag] = element
    dataset.SpecificCharacterSet = CHARACTERS
    now = datetime.now()
    date, time = now.strftime("%Y%m%d"), now.strftime("%H%M%S.%f")
    if uids.reproducible:
        date = str(source.record.get("StudyDate") or "19700101")
        time = str(source.record.get("StudyTime") or "000000")
    for equipment in dataset.get("ContributingEquipmentSequence") or ():
        equipment.ContributionDateTime = f"{date}{time}"
    for part in ("InstanceCreation", "Content", "StructureSet"):
        if f"{part}Date" in dataset:
            dataset[f"{part}Date"].value = date
            dataset[f"{part}Time"].value = time
