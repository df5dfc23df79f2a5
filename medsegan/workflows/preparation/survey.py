"""A first look at the scans and labels of a domain, before anything is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import DataError, UsageError
from ...geometry import Grid
from ...imaging import Modality, class_name_of
from ...progress import SILENT, Progress
from ..datasets.discovery import FoundCase
from ..privacy.redaction import Redaction
from ..processes.crew import Crew
from .look import CaseLook, LabelReading, case_to_json, look_at_case, look_of
from .result import Failures, NothingPreparedError

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
        looks: image -> what was seen, of the cases with labels.
    """

    found: dict[int, int]
    grids: dict[Path, Grid]
    failures: dict[Path, str]
    names: dict[int, str] = field(default_factory=dict)
    looks: dict[Path, CaseLook] = field(default_factory=dict)

    def named_failures(self, redaction: Redaction) -> Failures:
        """The failures as they may be said before a case has an id."""
        return _named(self.failures, redaction)


def vote_modality(
    cases: Sequence[FoundCase], reading: LabelReading, crew: Crew, redaction: Redaction, *, labels: bool
) -> tuple[ModalityVote, dict[Path, CaseLook]]:
    """The modality of most of a few scans, evenly spread over all, with the reason; and what was seen in them.

    Args:
        cases: at least one.
        reading: how scans and labels are read.
        crew: reads them.
        redaction: of what is said where none can be read.
        labels: whether to look at their labels in passing, so that scans which labels need are not read twice.

    Raises:
        DataError: no scan can be read.
        UsageError: the scans do not tell what they are.
    """
    looks: dict[Path, CaseLook] = {}
    ordered = _spread(cases)
    # The rest only for the case that none of the first can be read.
    for start in range(0, len(ordered), LARGEST_SAMPLE):
        sample = ordered[start : start + LARGEST_SAMPLE]
        looks.update(_looks(sample, reading, crew, (True, labels)))
        if any(looks[case.image].modality is not None for case in sample):
            break
    return _elected(cases, looks, redaction), looks


def _elected(cases: Sequence[FoundCase], looks: Mapping[Path, CaseLook], redaction: Redaction) -> ModalityVote:
    found: dict[Modality, list[str]] = {}
    grids: dict[Path, Grid] = {}
    for image, look in looks.items():
        if look.modality is not None and look.scan_grid is not None:
            found.setdefault(look.modality, []).append(look.reason)
            grids[image] = look.scan_grid
    if not found:
        failures = {image: look.scan_failure or "" for image, look in looks.items()}
        raise NothingPreparedError(f"none of the {len(cases)} scans can be read", _named(failures, redaction))
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


def survey_labels(
    cases: Sequence[FoundCase],
    known: Mapping[Path, CaseLook],
    reading: LabelReading,
    crew: Crew,
    progress: Progress,
) -> LabelSurvey:
    """The values of all label files.

    Args:
        cases: those without labels are passed over.
        known: what was seen in some of them already.
        reading: how the others are read.
        crew: reads them.
        progress: hears of each file.

    Raises:
        DataError: some files name their classes and others do not, and nothing says what the values mean.
    """
    labeled = [case for case in cases if case.label is not None]
    looks = {case.image: known[case.image] for case in labeled if case.image in known}
    others = [case for case in labeled if case.image not in looks]
    if others:
        progress.start("read labels", len(labeled), "files")
        looks.update(_looks(others, reading, crew, (False, True), progress, len(looks)))
        progress.finish()
    count = _Count(reading)
    grids: dict[Path, Grid] = {}
    failures: dict[Path, str] = {}
    for case in labeled:
        look = looks[case.image]
        if look.counts is None or look.label_grid is None:
            failures[case.image] = look.label_failure or "the labels cannot be read"
        else:
            count.add(look.counts, look.names)
            grids[case.image] = look.label_grid
    return LabelSurvey(dict(count.found), grids, failures, count.names(), looks)


def _looks(
    cases: Sequence[FoundCase],
    reading: LabelReading,
    crew: Crew,
    at: tuple[bool, bool],
    progress: Progress = SILENT,
    n_before: int = 0,
) -> dict[Path, CaseLook]:
    """What is seen in some cases, in their order; looked at are scans, labels or both."""
    scan, label = at
    how = {"reading": reading.to_json(), "scan": scan, "label": label}
    documents = [{"case": case_to_json(case), **how} for case in cases]
    seen: dict[int, CaseLook] = {}
    for number, answer in crew.run(look_at_case, documents):
        seen[number] = look_of(answer, cases[number].label is not None)
        progress.update(n_before + len(seen))
    return {case.image: seen[number] for number, case in enumerate(cases)}


def _named(failures: Mapping[Path, str], redaction: Redaction) -> Failures:
    return tuple(
        redaction.of_failure(reason, f"scan {number}", image)
        for number, (image, reason) in enumerate(failures.items(), start=1)
    )


class _Count:
    """The voxels of each value, named classes at one value throughout however each file numbers them."""

    def __init__(self, reading: LabelReading) -> None:
        self.found: Counter[int] = Counter()
        self._is_told = reading.known is not None
        self._values = {class_name_of(name): value for name, value in reading.values.items()}
        self._written = {class_name_of(name): name for name in reading.values}
        self._seen: set[str] = set()
        self._n_unnamed = 0

    def add(self, counts: Mapping[int, int], names: Mapping[int, str]) -> None:
        """Count one file."""
        self._n_unnamed += not names and any(counts.keys() - {0})
        for value, n in counts.items():
            self.found[self._value_of(names[value], value) if value in names else value] += n
        self._seen.update(names.values())
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
