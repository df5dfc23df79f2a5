"""The result of a preparation, drawn up from its plan and its store."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ...slices import SPLITS, CaseRecord, SliceStore
from ..label_map import MERGED_NOTE
from .plan import PreparationPlan
from .result import ClassSummary, Failures, PrepareResult


def unreadable_labels(plan: PreparationPlan) -> Failures:
    """Name and reason of each case that fails before it is tried, because its labels cannot be read."""
    failures = plan.survey.failures
    return tuple(
        plan.failure(case, failures[case.image]) for case in plan.discovery.cases if case.image in failures
    )


def final_result(plan: PreparationPlan, store: SliceStore, sheet: Path, failures: Failures) -> PrepareResult:
    """What was prepared.

    Args:
        plan: what was to be done.
        store: what came of it.
        sheet: the contact sheet.
        failures: the cases that are not in the store.
    """
    records = store.manifest.cases
    bytes_per_slice = plan.settings.size**2
    settings = plan.settings
    return PrepareResult(
        domain=settings.domain,
        modality=settings.modality,
        reason=plan.vote.reason,
        layout=plan.discovery.layout,
        size=settings.size,
        plane=settings.plane,
        window=plan.window,
        n_cases=len(records),
        n_labeled=sum(record.has_label for record in records),
        n_slices=sum(record.n_slices for record in records),
        bytes_needed=sum(record.n_slices * bytes_per_slice * (3 if record.has_label else 2) for record in records),
        classes=_summaries(plan, records),
        splits={split: len(store.cases(split)) for split in SPLITS},
        labeled_splits={split: len(store.cases(split, labeled=True)) for split in SPLITS},
        store=store.folder,
        contact_sheet=sheet,
        notes=(*plan.notes, *_case_notes(records)),
        failures=failures,
        n_taken_over=len(plan.done),
    )


def expected_result(plan: PreparationPlan) -> PrepareResult:
    """What would be prepared, as far as it can be told without doing it."""
    split_of = {case.image: plan.splits[plan.settings.key.patient_id(case.patient)] for case in plan.cases}
    labeled = [split_of[case.image] for case in plan.cases if case.label is not None]
    settings = plan.settings
    return PrepareResult(
        domain=settings.domain,
        modality=settings.modality,
        reason=plan.vote.reason,
        layout=plan.discovery.layout,
        size=settings.size,
        plane=settings.plane,
        window=plan.window,
        n_cases=len(plan.cases),
        n_labeled=len(labeled),
        n_slices=sum(plan.n_slices.values()),
        bytes_needed=plan.n_bytes(plan.cases),
        classes=_summaries(plan, ()),
        splits={split: list(split_of.values()).count(split) for split in SPLITS},
        labeled_splits={split: labeled.count(split) for split in SPLITS},
        store=plan.store_path,
        contact_sheet=None,
        notes=plan.notes,
        failures=unreadable_labels(plan),
        n_taken_over=len(plan.done),
        dry_run=True,
    )


def _summaries(plan: PreparationPlan, records: Sequence[CaseRecord]) -> tuple[ClassSummary, ...]:
    label_map = plan.settings.label_map
    return tuple(
        _summary(name, index, (value, label_map.values.get(name)), records)
        for index, (name, value) in enumerate(label_map.labels.items(), start=1)
    )


def _summary(name: str, index: int, values: tuple[int, int | None], records: Sequence[CaseRecord]) -> ClassSummary:
    volumes_ml = [
        record.class_voxels[index] * record.frame.source.voxel_ml
        for record in records
        if record.class_voxels is not None and record.class_voxels[index] > 0
    ]
    mean_ml = round(sum(volumes_ml) / len(volumes_ml), 2) if volumes_ml else None
    return ClassSummary(name, index, *values, len(volumes_ml), mean_ml)


def _case_notes(records: Sequence[CaseRecord]) -> tuple[str, ...]:
    """What was noted of single cases, by kind and with their number; the manifest has the details of each."""
    kinds = Counter(kind for record in records for kind in {note.split(":")[0] for note in record.notes})
    return tuple(f"{kind}: {n} of {len(records)} cases" for kind, n in kinds.items() if kind != MERGED_NOTE)
