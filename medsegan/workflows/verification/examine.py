"""One case, read once: its scan and its labels turned into facts, and its voxels forgotten."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from ...errors import MedseganError
from ...geometry import Grid
from ...imaging import (
    LabelVolume,
    Volume,
    align_label,
    belonging_notes,
    detect_modality,
    needs_scan,
    read_label,
    read_volume,
)
from ...shapes import Array
from ..datasets.discovery import FoundCase
from ..label_map import count_values
from ..preparation.look import case_from_json
from ..processes.crew import Document
from .content import small_picture, voxel_digests
from .facts import CaseFacts, IntensityFacts, LabelFacts, ScanFacts
from .finding import CaseNames

BELOW_AIR_HU = -1100.0
_LONGEST_COUNT = 1 << 20
_SAMPLES_ALONG_AXIS = 100


@dataclass(frozen=True)
class CaseReading:
    """How cases are read.

    Args:
        names: how cases are called.
        series: which one of a DICOM folder; None = the only one.
        fix_gaps: whether gaps between DICOM slices are filled by interpolation.
        only: names of the classes to read where files name them; None = all.
    """

    names: CaseNames
    series: str | None = None
    fix_gaps: bool = False
    only: Collection[str] | None = None


def examine_case(document: Document) -> Document:
    """What a case holds, for a process of a crew.

    Args:
        document: the "case", and of its reading "series", "fix_gaps", "only" and "show_names".
    """
    case = case_from_json(document["case"])
    names = CaseNames((case,), show_all=document["show_names"])
    reading = CaseReading(names, document["series"], document["fix_gaps"], document["only"])
    return examine(case, reading).to_json()


def examine(case: FoundCase, reading: CaseReading) -> CaseFacts:
    """What a case holds; what cannot be read is a fact too.

    Args:
        case: as it was found.
        reading: how it is read.
    """
    facts = CaseFacts(case, reading.names.of_case(case))
    grid: Grid | None = None
    try:
        series = case.series(reading.series)
        volume = read_volume(case.image, series=series, fix_gaps=reading.fix_gaps, channel=case.channel)
    except MedseganError as error:
        facts = replace(facts, scan_error=reading.names.said(error, case))
    else:
        facts, grid = replace(facts, scan=_scan_facts(volume)), volume.grid
        del volume
    if case.label is None or (grid is None and needs_scan(case.label)):
        return facts
    try:
        label = read_label(case.label, on=grid, only=reading.only)
    except MedseganError as error:
        return replace(facts, label_error=reading.names.said(error, case))
    return _with_label(facts, label, grid, reading)


def _with_label(facts: CaseFacts, label: LabelVolume, grid: Grid | None, reading: CaseReading) -> CaseFacts:
    digests = voxel_digests(label.array, label.grid)
    counts = {value: n for value, n in count_values(label.array).items() if value != 0}
    note: str | None = None
    doubts: tuple[str, ...] = ()
    if grid is not None:
        try:
            label, note = align_label(label, grid)
        except MedseganError as error:
            facts = replace(facts, place_error=reading.names.said(error, facts.case))
        else:
            doubts = _belonging(facts, label)
    notes = (*label.notes, *(() if note is None else (note,)), *doubts)
    is_close = note is not None and "resampled" in note
    return replace(facts, label=LabelFacts(counts, dict(label.names), notes, digests, is_close))


def _belonging(facts: CaseFacts, label: LabelVolume) -> tuple[str, ...]:
    if facts.scan is None or facts.case.label is None:
        return ()
    return belonging_notes(facts.case.label, label.array, facts.scan)


def _scan_facts(volume: Volume) -> ScanFacts:
    modality, reason = detect_modality(volume)
    return ScanFacts(
        grid=volume.grid,
        is_picture=volume.is_picture,
        modality=modality,
        reason=reason,
        notes=volume.notes,
        intensities=_intensity_facts(volume.array),
        digests=voxel_digests(volume.array, volume.grid),
        picture=small_picture(volume.array) if volume.array.shape[2] == 1 else None,
        frame_uid=volume.frame_uid,
        made_up=volume.made_up,
    )


def _intensity_facts(array: Array) -> IntensityFacts:
    low, high = float(array.min()), float(array.max())
    below = array[array < BELOW_AIR_HU] if low < BELOW_AIR_HU else array[:0].reshape(-1)
    steps = tuple(slice(None, None, max(1, n // _SAMPLES_ALONG_AXIS)) for n in array.shape)
    lower, upper = np.percentile(array[steps], [0.5, 99.5])
    return IntensityFacts(
        low=low,
        high=high,
        percentiles=(float(lower), float(upper)),
        at_low=float(np.count_nonzero(array == array.min()) / array.size),
        below_air=below.size / array.size,
        n_below_air=len(np.unique(below)) if below.size else 0,
        n_values=_count_of_values(array, low, high),
    )


def _count_of_values(array: Array, low: float, high: float) -> int | None:
    if array.dtype.kind == "f" and not _holds_integers(array):
        return None
    if high - low >= _LONGEST_COUNT:
        return None
    seen = np.zeros(int(high - low) + 1, dtype=bool)
    for index in range(array.shape[2]):
        seen[(array[:, :, index] - low).astype(np.int64)] = True
    return int(np.count_nonzero(seen))


def _holds_integers(array: Array) -> bool:
    return all(np.array_equal(array[:, :, k], np.rint(array[:, :, k])) for k in range(array.shape[2]))
