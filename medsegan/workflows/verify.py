"""`verify`: everything that is wrong with a data set, in one table; nothing is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..imaging import DEFAULT_WINDOWS, Modality
from ..progress import SILENT, Progress
from .datasets.discover import discover
from .datasets.discovery import Discovery, FoundCase
from .datasets.file_role import Entry
from .datasets.listing import list_entries
from .preparation.look import case_to_json
from .preparation.workers import choose_workers
from .privacy.redaction import Redaction
from .processes.crew import CaseLostError, Crew
from .verification.duplicates import check_duplicates, check_splits
from .verification.examine import examine_case
from .verification.facts import CaseFacts
from .verification.files import check_files
from .verification.finding import WHOLE_SET, CaseNames, Finding
from .verification.geometry import check_geometry
from .verification.intensities import check_intensities, usual_modality
from .verification.label_values import KnownClasses, check_label_values, count_classes
from .verification.reading import check_reading

__all__ = ["Finding", "VerifyOptions", "VerifyResult", "verify"]

NOT_RECOGNISED = "not recognised, scans alone"
"""In place of a layout where names or lists contradict each other."""


@dataclass(frozen=True)
class VerifyOptions:
    """What is verified.

    Args:
        paths: files and folders with scans, as for `prepare`.
        labels: folder of label files or the label file of the one scan; None = found by name.
        classes: name -> value in these label files; None = whatever there is.
        modality: what all scans are; None = found out from the scans.
        contrast: which of several images of a case; None = the only one, or the first channel.
        series: which series is read of each folder with several DICOM series; None = each holds only one.
        fix_gaps: whether missing DICOM slices are only a warning.
        workers: how many cases are looked at side by side, see `PrepareOptions`.
        show_names: whether DICOM scans, which may be named after patients, are called by their names.

    Raises:
        UsageError: the modality is unknown, or there are no workers.
    """

    paths: tuple[Path, ...]
    labels: Path | None = None
    classes: dict[str, int] | None = None
    modality: Modality | None = None
    contrast: str | None = None
    series: str | None = None
    fix_gaps: bool = False
    workers: int | None = None
    show_names: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(Path(path) for path in self.paths))
        if self.modality is not None and self.modality not in DEFAULT_WINDOWS:
            raise UsageError(f"--modality must be one of {', '.join(DEFAULT_WINDOWS)}, got {self.modality!r}")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"--workers must be at least 1, got {self.workers}")


@dataclass(frozen=True)
class VerifyResult:
    """What was found.

    Args:
        layout: how the scans were found.
        modality: of most scans; None if none tells.
        n_cases: number of scans, without a test set that the layout sets apart.
        n_labeled: those with labels.
        n_patients: of these scans.
        n_test_cases: scans of that test set.
        classes: class -> number of cases that hold it.
        findings: errors first, then warnings.
        notes: what was left out or assumed.
    """

    layout: str
    modality: Modality | None
    n_cases: int
    n_labeled: int
    n_patients: int
    n_test_cases: int
    classes: dict[str, int]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def n_errors(self) -> int:
        """Number of errors."""
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def n_warnings(self) -> int:
        """Number of warnings."""
        return len(self.findings) - self.n_errors

    def to_json(self) -> dict[str, Any]:
        """The result as plain values."""
        return {
            "layout": self.layout,
            "modality": self.modality,
            "n_cases": self.n_cases,
            "n_labeled": self.n_labeled,
            "n_patients": self.n_patients,
            "n_test_cases": self.n_test_cases,
            "classes": self.classes,
            "n_errors": self.n_errors,
            "n_warnings": self.n_warnings,
            "findings": [finding.to_json() for finding in self.findings],
            "notes": list(self.notes),
        }


def verify(options: VerifyOptions, progress: Progress = SILENT) -> VerifyResult:
    """Everything that is wrong with a data set. Of each worker one case is in memory at a time.

    Args:
        options: what is verified.
        progress: hears of the layout and of each case.

    Raises:
        InputError: a path is not there or holds no scan.
        UsageError: options contradict each other.
    """
    labels = () if options.labels is None else (options.labels,)
    redaction = Redaction((*options.paths, *labels), options.show_names)
    with redaction.of_errors():
        return _verify(options, redaction, progress)


def _verify(options: VerifyOptions, redaction: Redaction, progress: Progress) -> VerifyResult:
    findings: list[Finding] = []
    try:
        found = discover(options.paths, options.labels, options.contrast)
    except DataError as error:
        findings.append(_contradiction(error, redaction))
        found = _scans_alone(options.paths)
    if options.series is not None and not any(case.is_dicom for case in found.cases):
        raise UsageError(f"--series {options.series} chooses among DICOM series, but no scan here is DICOM")
    progress.note(f"{found.layout}: {len(found.cases)} cases, {found.n_labeled} of them with labels")
    for note in found.notes:
        progress.note(note)
    names = CaseNames((*found.cases, *found.test_cases), show_all=options.show_names)
    cases = _examine_all(found, names, options, progress)
    known = KnownClasses(found.class_names or {}, found.label_values, options.classes)
    findings += [*check_files(found, names), *_conclusions(cases, known, options)]
    return VerifyResult(
        layout=found.layout,
        modality=usual_modality(cases, options.modality),
        n_cases=len(found.cases),
        n_labeled=found.n_labeled,
        n_patients=len({case.patient for case in found.cases}),
        n_test_cases=len(found.test_cases),
        classes=count_classes([facts for facts in cases if not facts.is_test], known),
        findings=tuple(sorted(findings, key=lambda finding: finding.severity)),
        notes=found.notes,
    )


def _examine_all(
    found: Discovery, names: CaseNames, options: VerifyOptions, progress: Progress
) -> list[CaseFacts]:
    """What each case holds, in the order of the cases, whichever is done first."""
    facts = [CaseFacts(case, names.of_case(case)) for case in found.cases]
    facts += [CaseFacts(case, names.of_case(case), is_test=True) for case in found.test_cases]
    documents = [
        {
            "case": case_to_json(one.case),
            "series": options.series,
            "fix_gaps": options.fix_gaps,
            "only": None if options.classes is None else list(options.classes),
            "show_names": options.show_names,
        }
        for one in facts
    ]
    choice = choose_workers(options.workers, [one.case for one in facts])
    for note in choice.notes:
        progress.note(note)
    progress.start("verify", len(facts), "cases")
    with Crew(choice.n_workers, choice.n_threads) as crew:
        for done, (number, answer) in enumerate(crew.run(examine_case, documents), start=1):
            if isinstance(answer, CaseLostError):
                facts[number] = replace(facts[number], scan_error=str(answer))
            else:
                facts[number] = facts[number].with_findings(answer)
            progress.update(done)
    progress.finish()
    return facts


def _conclusions(cases: Sequence[CaseFacts], known: KnownClasses, options: VerifyOptions) -> Iterator[Finding]:
    yield from check_reading(cases)
    yield from check_splits(cases)
    yield from check_duplicates(cases)
    yield from check_label_values(cases, known)
    yield from check_intensities(cases, options.modality)
    yield from check_geometry(cases)


def _contradiction(error: DataError, redaction: Redaction) -> Finding:
    remedy = "mend this first, then verify again: until then labels are not looked at"
    said = " ".join(redaction.of_everything(str(error)).split()) if not redaction.is_off else str(error)
    return Finding("error", WHOLE_SET, "scans and labels cannot be told", said, remedy)


def _scans_alone(paths: Sequence[Path]) -> Discovery:
    """The scans without labels, where names contradict each other: what is wrong with them can be told."""
    folders = [path for path in paths if path.is_dir()]
    entries = [entry for folder in folders for entry in list_entries(folder) if entry.role != "label"]
    cases = {entry.path: FoundCase(entry.path, None, entry.patient, _name_of(entry)) for entry in entries}
    return Discovery(NOT_RECOGNISED, tuple(cases.values()))


def _name_of(entry: Entry) -> str:
    """The key with the suffix of a file: two scans may go by one name here."""
    folder = entry.key.rpartition("/")[0]
    return "/".join(part for part in (folder, entry.path.name) if part)
