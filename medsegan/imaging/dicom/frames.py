"""The frames of an enhanced image, each as a data set of its own (DICOM PS3.3, C.7.6.16)."""

from pathlib import Path

from pydicom.dataset import Dataset

from ...errors import DataError

ENHANCED_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2.1",
        "1.2.840.10008.5.1.4.1.1.2.2",
        "1.2.840.10008.5.1.4.1.1.4.1",
        "1.2.840.10008.5.1.4.1.1.4.4",
    }
)
"""Enhanced CT and MR, and their legacy converted kin: many frames in one file (DICOM PS3.4, annex B.5)."""

GROUP_SEQUENCES = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
_GROUPS = (
    "PixelMeasuresSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "PixelValueTransformationSequence",
    "FrameContentSequence",
    "TemporalPositionSequence",
    "CardiacSynchronizationSequence",
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
    "MREchoSequence",
    "MRDiffusionSequence",
)
_NAMES = {
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "EffectiveEchoTime": "EchoTime",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
    "FrameType": "ImageType",
}
"""What a frame calls otherwise than a single slice; their meaning is the same."""


def split_frames(dataset: Dataset, path: Path) -> list[Dataset]:
    """One flat data set per frame: what holds for the file, then what is shared, then what is of the frame.

    Args:
        dataset: of an enhanced image.
        path: its file, for messages.

    Raises:
        DataError: functional groups are missing, or are not as many as frames.
    """
    n_frames = int(dataset.get("NumberOfFrames") or 0)
    items = dataset.get(GROUP_SEQUENCES[1]) or []
    if n_frames < 1 or len(items) != n_frames:
        raise DataError(
            f"{path}: {dataset.get('SOPClassUID').name} of {n_frames} frames has functional groups for "
            f"{len(items)} of them; without these the place of a frame is unknown. Export the series again"
        )
    shared = dataset.get(GROUP_SEQUENCES[0]) or []
    return [_flat(dataset, [*shared[:1], item]) for item in items]


def _flat(dataset: Dataset, groups: list[Dataset]) -> Dataset:
    flat = Dataset()
    for element in dataset.keys():  # noqa: SIM118 (a data set iterates over elements and not over keys)
        if element.group != 0x7FE0 and element.group != 0x5200:
            flat[element] = dataset.get_item(element)
    for group in groups:
        for name in _GROUPS:
            items = group.get(name) or []
            for tag in items[0].keys() if len(items) else ():
                flat[tag] = items[0].get_item(tag)
    for name, usual in _NAMES.items():
        if name in flat:
            setattr(flat, usual, flat[name].value)
    return flat
