"""All that is decided before the first slice is cut."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ...geometry import Grid, reorientation_to
from ...imaging import DEFAULT_WINDOWS, Modality
from ...progress import Progress
from ...slices import PLANE_CODES, Split, StoredCase, draw_order
from ..datasets.discovery import Discovery, FoundCase
from ..label_map import LabelMap, LabelSources, propose_label_map
from ..privacy.private_folder import CaseSource
from ..processes.crew import Crew, Document
from ..workspace import DomainSettings, Workspace
from .agreement import common_geometry, common_key, require_common_classes, require_free
from .case import CaseSettings
from .look import CaseLook, LabelReading
from .names import redaction_for
from .options import PrepareOptions
from .plan_notes import plane_notes, recorded_notes, removed_notes, workspace_notes
from .result import NothingPreparedError
from .resume import NOTHING_EARLIER, find_earlier
from .split_settings import DEFAULT_SPLIT, SplitSettings
from .splits import draw_splits, splits_before
from .survey import LabelSurvey, ModalityVote, survey_labels, vote_modality

_DOMAIN_NAMES: dict[Modality, str] = {"ct": "ct", "mr": "mri", "xray": "xray"}
_BYTES_PER_IMAGE_PIXEL, _BYTES_PER_LABEL_PIXEL = 2, 1


@dataclass(frozen=True, eq=False)
class PreparationPlan:
    """What will be prepared, and how.

    Args:
        workspace: as it is before.
        options: what was asked for.
        discovery: the scans and labels that were found.
        vote: their modality.
        survey: the values in their labels.
        reading: how these were read.
        settings: what all cases are prepared with.
        window: lowest and highest stored intensity shown to a network.
        split: the shares and the seed that the patients are split with.
        splits: patient id -> split.
        done: image -> its case, of those that were prepared earlier just as they would be now.
        notes: what was chosen and why.
    """

    workspace: Workspace
    options: PrepareOptions
    discovery: Discovery
    vote: ModalityVote
    survey: LabelSurvey
    reading: LabelReading
    settings: CaseSettings
    window: tuple[float, float]
    split: SplitSettings
    splits: dict[str, Split]
    done: dict[Path, StoredCase]
    notes: tuple[str, ...]

    @property
    def store_path(self) -> Path:
        """Where the slice store will be."""
        return self.workspace.store_path(self.settings.domain)

    @property
    def cases(self) -> tuple[FoundCase, ...]:
        """The cases to try, those whose labels, if any, can be read; in an order that tells nothing of names."""
        cases = [case for case in self.discovery.cases if case.image not in self.survey.failures]
        return tuple(cases[index] for index in draw_order([(case.patient, case.stem) for case in cases]))

    def case_id(self, case: FoundCase) -> str:
        """The id of a case."""
        return self.settings.key.case_id(case.stem, self.settings.domain)

    def failure(self, case: FoundCase, reason: str) -> tuple[str, str]:
        """What a case that failed is called, and why it failed."""
        return self.settings.redaction.of_failure(reason, self.case_id(case), case.image, case.label)

    @property
    def sources(self) -> dict[str, CaseSource]:
        """Case id -> where it came from, of all cases that were found, those that fail among them."""
        settings = self.settings
        return {
            self.case_id(case): CaseSource(
                image=case.image.resolve(),
                label=None if case.label is None else case.label.resolve(),
                patient=case.patient,
                series=case.series(settings.series),
                fix_gaps=settings.fix_gaps,
                resample_labels=settings.resample_labels,
                channel=case.channel,
            )
            for case in self.discovery.cases
        }

    @property
    def n_slices(self) -> dict[Path, int]:
        """Slices of each case: counted where the scan or its labels were read, else the mean of these."""
        grids: dict[Path, Grid] = {**self.vote.grids, **self.survey.grids}
        axis_codes = PLANE_CODES[self.settings.plane]
        counted = {path: grid.shape[reorientation_to(grid, axis_codes).axes[0]] for path, grid in grids.items()}
        mean = round(sum(counted.values()) / max(1, len(counted)))
        return {case.image: counted.get(case.image, mean) for case in self.cases}

    @property
    def to_do(self) -> tuple[FoundCase, ...]:
        """The cases to try that are not done yet."""
        return tuple(case for case in self.cases if case.image not in self.done)

    def seen(self, case: FoundCase) -> Document:
        """What was seen in the labels of a case, and how they were read, to be known another time."""
        look = self.survey.looks.get(case.image)
        seen = None if look is None else look.of_labels.to_json()
        return {"look": seen, "reading": self.reading.to_json()}

    def n_bytes(self, cases: Sequence[FoundCase]) -> int:
        """Size of the arrays of some cases on disk, an estimate where no label was read."""
        n_slices, pixels = self.n_slices, self.settings.size**2
        return sum(
            n_slices[case.image]
            * pixels
            * (_BYTES_PER_IMAGE_PIXEL + (0 if case.label is None else _BYTES_PER_LABEL_PIXEL))
            for case in cases
        )


def plan_preparation(
    workspace: Workspace, options: PrepareOptions, discovery: Discovery, crew: Crew, progress: Progress
) -> PreparationPlan:
    """What will be prepared, after a look at the scans; nothing is written.

    Args:
        workspace: as it is before.
        options: what was asked for.
        discovery: the scans and labels that were found.
        crew: looks at them.
        progress: hears of stages.

    Raises:
        UsageError: options contradict each other or the workspace, or there is a store already.
        DataError: names or values of labels are ambiguous, or no scan can be read.
    """
    vote, looks = _vote(discovery, options, crew)
    domain = options.domain or _DOMAIN_NAMES[vote.modality]
    store = workspace.store_path(domain)
    require_free(store, options)
    size, plane = common_geometry(workspace, options, domain)
    key = common_key(workspace, domain)
    earlier = NOTHING_EARLIER
    if options.skip_existing:
        ids = {case.image: key.case_id(case.stem, domain) for case in discovery.cases}
        earlier = find_earlier(store, key, ids, discovery.cases, crew, progress)
    reading = _label_reading(workspace, options, discovery, domain)
    looks = {**earlier.looks(reading), **looks}
    survey = survey_labels(discovery.cases, looks, reading, crew, progress)
    if len(survey.failures) == len(discovery.cases):
        raise NothingPreparedError("no label file can be read", survey.named_failures(redaction_for(options)))
    label_map = _label_map(workspace, options, discovery, survey, domain)
    recorded = workspace.domains.get(domain, DomainSettings(vote.modality))
    split = _split(options, recorded)
    before = splits_before(store, recorded, split, key) if options.skip_existing else {}
    splits = draw_splits(discovery.cases, split, key, before)
    settings = CaseSettings(
        domain,
        vote.modality,
        options.modality is not None,
        plane,
        size,
        label_map,
        key,
        redaction_for(options),
        series=options.series,
        fix_gaps=options.fix_gaps,
        resample_labels=options.resample_labels,
    )
    named = "given by --domain" if options.domain else f"named after the modality, {vote.modality}"
    return PreparationPlan(
        workspace=workspace,
        options=options,
        discovery=discovery,
        vote=vote,
        survey=survey,
        reading=reading,
        settings=settings,
        window=_window(options, recorded, vote.modality),
        split=split,
        splits=splits,
        done=earlier.done(discovery.cases, settings),
        notes=(
            f"domain {domain}, {named}; modality {vote.modality}, {vote.reason}",
            *vote.notes,
            *discovery.notes,
            *label_map.notes,
            *recorded_notes(options, recorded, vote.modality),
            *plane_notes({**vote.grids, **survey.grids}, plane),
            *workspace_notes(workspace, label_map, domain, splits),
            *removed_notes(earlier),
        ),
    )


def _split(options: PrepareOptions, recorded: DomainSettings) -> SplitSettings:
    said = {name: getattr(recorded, name) for name in dataclasses.asdict(DEFAULT_SPLIT)}
    said = {name: value for name, value in said.items() if value is not None}
    known = dataclasses.replace(DEFAULT_SPLIT, **said)
    return known.replaced(options.test_fraction, options.val_fraction, options.seed)


def _window(options: PrepareOptions, recorded: DomainSettings, modality: Modality) -> tuple[float, float]:
    known = recorded.window if recorded.modality == modality else None
    return options.window or known or DEFAULT_WINDOWS[modality]


def _vote(discovery: Discovery, options: PrepareOptions, crew: Crew) -> tuple[ModalityVote, dict[Path, CaseLook]]:
    if options.series is not None and not any(case.is_dicom for case in discovery.cases):
        raise UsageError(
            f"--series {options.series} chooses among the series of a DICOM folder, but no scan here is DICOM; "
            "leave it out"
        )
    reading = _file_reading(options, discovery)
    if options.modality is None:
        # What is known of labels from earlier is not looked at again; who will know only once the domain is.
        vote, looks = vote_modality(
            discovery.cases, reading, crew, redaction_for(options), labels=not options.skip_existing
        )
        return vote, {} if options.skip_existing else looks
    # Nothing has to be found out, but in a dry run the number of slices has.
    is_counted = options.dry_run and not discovery.n_labeled
    grids: dict[Path, Grid] = {}
    if is_counted:
        grids = vote_modality(discovery.cases, reading, crew, redaction_for(options), labels=False)[0].grids
    return ModalityVote(options.modality, "given by --modality", grids), {}


def _label_map(
    workspace: Workspace, options: PrepareOptions, discovery: Discovery, survey: LabelSurvey, domain: str
) -> LabelMap:
    others = [name for name, settings in workspace.domains.items() if name != domain and settings.values]
    require_common_classes(workspace, others)
    recorded = workspace.domains[domain].values if domain in workspace.domains else {}
    return propose_label_map(
        LabelSources(
            found=survey.found,
            chosen=options.classes,
            known=workspace.labels,
            recorded=recorded,
            dataset_names=discovery.class_names or survey.names or None,
            is_first=not others,
            names_from=discovery.names_from if discovery.class_names else "the label files",
        )
    )


def _label_reading(
    workspace: Workspace, options: PrepareOptions, discovery: Discovery, domain: str
) -> LabelReading:
    """How the labels are read, with the values that classes have already."""
    recorded = workspace.domains[domain].values if domain in workspace.domains else {}
    listed = {name: value for value, name in (discovery.class_names or {}).items()}
    values = options.classes or listed or recorded or workspace.labels
    return dataclasses.replace(_file_reading(options, discovery), values=values)


def _file_reading(options: PrepareOptions, discovery: Discovery) -> LabelReading:
    """How the labels of a single file are read, which is known before the domain is."""
    return LabelReading(
        series=options.series,
        only=options.classes,
        known=options.classes or frozenset((discovery.class_names or {}).values()) or None,
        resample=options.resample_labels,
        fix_gaps=options.fix_gaps,
    )
