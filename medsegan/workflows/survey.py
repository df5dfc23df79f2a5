"""A first look at the scans and labels of a domain, before anything is written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, MedseganError, UsageError
from ..geometry import Grid
from ..imaging import Modality, detect_modality, read_label, read_volume
from ..progress import Progress
from .discovery import FoundCase
from .label_map import count_values

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
    """

    found: dict[int, int]
    grids: dict[Path, Grid]
    failures: dict[Path, MedseganError]


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
            volume = read_volume(case.image, series=case.series(series), fix_gaps=fix_gaps)
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


def survey_labels(cases: Sequence[FoundCase], progress: Progress) -> LabelSurvey:
    """The values of all label files, read one by one.

    Args:
        cases: those without labels are passed over.
        progress: hears of each file.
    """
    found: Counter[int] = Counter()
    grids: dict[Path, Grid] = {}
    failures: dict[Path, MedseganError] = {}
    labeled = [case for case in cases if case.label is not None]
    if not labeled:
        return LabelSurvey({}, {}, {})
    progress.start("read labels", len(labeled), "files")
    for done, case in enumerate(labeled, start=1):
        assert case.label is not None
        try:
            label = read_label(case.label)
        except MedseganError as error:
            failures[case.image] = error
        else:
            found.update(count_values(label.array))
            grids[case.image] = label.grid
        progress.update(done)
    progress.finish()
    return LabelSurvey(dict(found), grids, failures)


def _spread(cases: Sequence[FoundCase]) -> list[FoundCase]:
    """A few cases spread over all first, then the rest for the case that none of these can be read."""
    n = min(LARGEST_SAMPLE, len(cases))
    first = sorted({round(index * (len(cases) - 1) / max(1, n - 1)) for index in range(n)})
    return [cases[index] for index in first] + [case for i, case in enumerate(cases) if i not in set(first)]
