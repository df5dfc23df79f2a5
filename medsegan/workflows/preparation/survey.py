"""A first look at the scans and labels of a domain, before anything is written."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import DataError, MedseganError, UsageError
from ...geometry import Grid
from ...imaging import (
    LabelVolume,
    Modality,
    class_name_of,
    detect_modality,
    needs_scan,
    read_label,
    read_outline,
    read_volume,
)
from ...progress import Progress
from ..datasets.discovery import FoundCase
from ..label_map import count_values

LARGEST_SAMPLE = 5


@dataclass(frozen=True)
class ModalityVote:
    """What kind of image the scans of a domain are.

    Args:
        modality: of most scans that were looked at.
        reason: how that was found, in words.
        grids: image -> its grid, of the scans that were looked at.
        notes: disagreement among the scans.
    """

    modality: Modality
    reason: str
    grids: dict[Path, Grid]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelSurvey:
    """What the label files of a domain hold.

    Args:
        found: value -> number of voxels over all files that can be read.
        grids: image -> grid of its label volume.
        failures: image -> why its labels cannot be read.
        names: value -> name, where the files themselves name their classes; the values of `found`, by which the
            domain numbers them, may be others than those in a file.
    """

    found: dict[int, int]
    grids: dict[Path, Grid]
    failures: dict[Path, MedseganError]
    names: dict[int, str] = field(default_factory=dict)


def vote_modality(
    cases: Sequence[FoundCase], series: str | None = None, *, fix_gaps: bool = False
) -> ModalityVote:
    """The modality of most of a few scans, evenly spread over all, with the reason.

    Args:
        cases: at least one.
        series: of each DICOM folder; None = the only one.
        fix_gaps: whether gaps between DICOM slices are filled by interpolation.

    Raises:
        DataError: no scan can be read.
        UsageError: the scans do not tell what they are.
    """
    found: dict[Modality, list[str]] = {}
    grids: dict[Path, Grid] = {}
    error: MedseganError | None = None
    for count, case in enumerate(_spread(cases)):
        if count >= LARGEST_SAMPLE and found:
            break
        try:
            asked = case.series(series)
            volume = read_outline(case.image, series=asked, fix_gaps=fix_gaps) or read_volume(
                case.image, series=asked, fix_gaps=fix_gaps
            )
        except MedseganError as failure:
            error = error or failure
            continue
        modality, reason = detect_modality(volume)
        found.setdefault(modality, []).append(reason)
        grids[case.image] = volume.grid
    if not found:
        raise DataError(f"none of the {len(cases)} scans can be read; the first one: {error}") from error
    votes = Counter({modality: len(reasons) for modality, reasons in found.items()})
    winner, n_votes = votes.most_common(1)[0]
    if list(votes.values()).count(n_votes) > 1:
        listed = ", ".join(f"{n} {modality}" for modality, n in votes.items())
        raise UsageError(
            f"the scans are of different kinds ({listed}); prepare each kind by itself, or pass --modality"
        )
    if winner == "unknown":
        raise UsageError(
            f"the scans do not tell what they are ({found[winner][0]}); pass --modality ct, mr or xray"
        )
    n_seen = sum(votes.values())
    notes: tuple[str, ...] = ()
    if n_votes < n_seen:
        listed = ", ".join(f"{n} {modality}" for modality, n in votes.most_common())
        notes = (f"the scans are not of one kind: of {n_seen} looked at, {listed}",)
    reason = f"{n_votes} of {n_seen} scans looked at ({len(cases)} in all): {found[winner][0]}"
    return ModalityVote(winner, reason, grids, notes)


@dataclass(frozen=True)
class LabelReading:
    """How the labels of a domain are read.

    Args:
        series: which one is read of a DICOM folder; None = the only one.
        values: name -> value of classes that have a value already; others get one of their own.
        only: names of the classes to read where files name them; None = all.
        fix_gaps: whether gaps between DICOM slices of the scans are filled by interpolation.
        resample: whether a segmentation on another grid than its scan is resampled instead of refused.
    """

    series: str | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    only: Collection[str] | None = None
    resample: bool = False
    fix_gaps: bool = False


def survey_labels(cases: Sequence[FoundCase], progress: Progress, reading: LabelReading) -> LabelSurvey:
    """The values of all label files, read one by one.

    Args:
        cases: those without labels are passed over.
        progress: hears of each file.
        reading: how they are read.

    Raises:
        DataError: some files name their classes and others do not, and nothing says what the values mean.
    """
    grids: dict[Path, Grid] = {}
    failures: dict[Path, MedseganError] = {}
    labeled = [case for case in cases if case.label is not None]
    if not labeled:
        return LabelSurvey({}, {}, {})
    count = _Count(reading)
    progress.start("read labels", len(labeled), "files")
    for done, case in enumerate(labeled, start=1):
        try:
            label = _read(case, reading)
        except MedseganError as error:
            failures[case.image] = error
        else:
            count.add(label)
            grids[case.image] = label.grid
        progress.update(done)
    progress.finish()
    return LabelSurvey(dict(count.found), grids, failures, count.names())


def _read(case: FoundCase, reading: LabelReading) -> LabelVolume:
    assert case.label is not None
    on = None
    if needs_scan(case.label):
        on = _read_grid(case, reading)
    return read_label(case.label, on=on, only=reading.only, resample=reading.resample)


def _read_grid(case: FoundCase, reading: LabelReading) -> Grid:
    series = case.series(reading.series)
    outline = read_outline(case.image, series=series, fix_gaps=reading.fix_gaps)
    return (outline or read_volume(case.image, series=series, fix_gaps=reading.fix_gaps)).grid


class _Count:
    """The voxels of each value, named classes at one value throughout however each file numbers them."""

    def __init__(self, reading: LabelReading) -> None:
        self.found: Counter[int] = Counter()
        self._is_told = reading.only is not None
        self._values = {class_name_of(name): value for name, value in reading.values.items()}
        self._written = {class_name_of(name): name for name in reading.values}
        self._seen: set[str] = set()
        self._n_unnamed = 0

    def add(self, label: LabelVolume) -> None:
        """Count one file."""
        counts = count_values(label.array)
        self._n_unnamed += not label.names and any(counts.keys() - {0})
        for value, n in counts.items():
            self.found[self._value_of(label.names[value], value) if value in label.names else value] += n
        self._seen.update(label.names.values())
        if self._seen and self._n_unnamed and not self._is_told:
            raise DataError(
                f"some label files name their classes ({', '.join(sorted(self._seen)[:5])}) and others hold "
                "values alone; pass --classes NAME=VALUE,... with the names of the ones and values of the others"
            )

    def names(self) -> dict[int, str]:
        """Value -> name of the classes that files name, in the order of the values."""
        known = sorted(self._seen & self._values.keys(), key=lambda name: self._values[name])
        return {self._values[name]: self._written.get(name, name) for name in known}

    def _value_of(self, name: str, value: int) -> int:
        if name not in self._values:
            taken = set(self._values.values())
            self._values[name] = value if value not in taken else max(taken) + 1
        return self._values[name]


def _spread(cases: Sequence[FoundCase]) -> list[FoundCase]:
    """A few cases spread over all first, then the rest for the case that none of these can be read."""
    n = min(LARGEST_SAMPLE, len(cases))
    first = sorted({round(index * (len(cases) - 1) / max(1, n - 1)) for index in range(n)})
    return [cases[index] for index in first] + [case for i, case in enumerate(cases) if i not in set(first)]
