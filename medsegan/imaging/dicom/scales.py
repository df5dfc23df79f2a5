"""Whether the slices of a volume agree on what their numbers mean."""

from collections import Counter
from collections.abc import Sequence

from ..volume import Modality
from .header import MODALITY_OF_CLASS, SliceHeader

_MAX_ODD_SHARE = 0.25
"""Where more slices than this differ, each is meant to have a scale of its own, as in PET."""


def air_notes(lowest: float, modality: Modality) -> tuple[str, ...]:
    """A note on a CT that holds nothing below water, as one has whose intercept was lost on its way.

    Args:
        lowest: value of the volume.
        modality: of the volume.
    """
    if modality != "ct" or lowest < 0:
        return ()
    return (f"no voxel of this CT is below 0 HU (the lowest is {lowest:g}), so RescaleIntercept may be wrong",)


def scale_notes(slices: Sequence[SliceHeader]) -> tuple[str, ...]:
    """What a user should know of slope, intercept and storage; empty where all slices are as they should be.

    Each slice is read by its own header in any case (DICOM PS3.3, C.11.1 and C.7.6.3.1). But one damaged slope
    among a hundred is not to be seen in the volume.

    Args:
        slices: of one volume.
    """
    notes = []
    n_without = sum(one.scale is None and MODALITY_OF_CLASS[one.sop_class] == "ct" for one in slices)
    if n_without:
        notes.append(f"{n_without} CT slices lack RescaleSlope or RescaleIntercept, which were taken as 1 and 0")
    usual, n_usual = Counter(one.scale for one in slices).most_common(1)[0]
    n_odd = len(slices) - n_usual
    if 0 < n_odd <= _MAX_ODD_SHARE * len(slices):
        shown = "none" if usual is None else f"slope {usual[0]:g} and intercept {usual[1]:g}"
        notes.append(f"{n_odd} slices have another slope or intercept than the others ({shown}); each has its own")
    storages = sorted({one.storage for one in slices})
    if len(storages) > 1:
        kinds = ", ".join(f"{bits} bits {'signed' if signed else 'unsigned'}" for bits, signed in storages)
        notes.append(f"the slices are stored differently ({kinds}); each was read by its own header")
    return tuple(notes)
