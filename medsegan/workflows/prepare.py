"""`prepare`: scans and labels in any usual layout into the slice store of one domain."""

import shutil
from dataclasses import replace
from pathlib import Path

from ..errors import DataError, InputError, MedseganError
from ..progress import SILENT, Progress
from ..slices import Manifest, SliceStore, StoreWriter
from .preparation.case import prepare_case
from .preparation.contact_sheet import write_contact_sheet
from .preparation.options import PrepareOptions
from .preparation.plan import PreparationPlan, plan_preparation, redaction_for
from .preparation.result import ClassSummary, PrepareResult
from .preparation.summary import Failures, expected_result, final_result, unreadable_labels
from .workspace import DomainSettings, PreparationSettings, Workspace

__all__ = ["ClassSummary", "PrepareOptions", "PrepareResult", "prepare"]

CONTACT_SHEET = "contact_sheet.png"


def prepare(workspace_folder: Path, options: PrepareOptions, progress: Progress = SILENT) -> PrepareResult:
    """What was prepared: the slice store of a domain, complete and in its place, recorded in the workspace.

    The workspace is made if the folder is none yet. One case is in memory at a time. A case that fails is left out
    and named in the result; if the whole cannot be done, nothing is left behind.

    Args:
        workspace_folder: the folder of the workspace.
        options: what to prepare and how.
        progress: hears of stages and notes.

    Raises:
        UsageError: options contradict each other or the workspace, or there is a store already.
        InputError: paths are not there or hold no scan, or the disk is too small.
        DataError: names or values of labels are ambiguous, or no case could be prepared.
    """
    with redaction_for(options).of_errors():
        return _prepare(Workspace.open(workspace_folder), options, progress)


def _prepare(workspace: Workspace, options: PrepareOptions, progress: Progress) -> PrepareResult:
    plan = plan_preparation(workspace, options, progress)
    for note in plan.notes:
        progress.note(note)
    if options.dry_run:
        return expected_result(plan)
    _require_space(plan)
    store, failures = _write_store(plan, progress)
    _record(plan)
    sheet = write_contact_sheet(store, store.folder / CONTACT_SHEET)
    return final_result(plan, store, sheet, failures)


def _require_space(plan: PreparationPlan) -> None:
    root = plan.workspace.root.resolve()
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if plan.n_bytes > free:
        raise InputError(
            f"the slices need about {plan.n_bytes / 1e9:.1f} GB, but the disk of {existing} has {free / 1e9:.1f} "
            "GB free; use a smaller --size or a workspace elsewhere (-C)"
        )


def _write_store(plan: PreparationPlan, progress: Progress) -> tuple[SliceStore, Failures]:
    failures = list(unreadable_labels(plan))
    n_done = 0
    progress.start(f"prepare {plan.settings.domain}", len(plan.cases), "cases")
    with StoreWriter(plan.store_path, plan.options.overwrite) as writer:
        for count, case in enumerate(plan.cases, start=1):
            try:
                prepared = prepare_case(case, plan.settings)
            except MedseganError as error:
                failures.append(plan.failure(case, error))
            else:
                # If that fails, as on a full disk, it would fail for all others too.
                writer.add(prepared.record, prepared.images, prepared.labels)
                n_done += 1
            progress.update(count)
        progress.finish()
        if not n_done:
            raise DataError(f"none of {len(failures)} cases can be prepared; the first one: {failures[0][1]}")
        private = plan.workspace.private
        private.keep_key(plan.settings.key)
        # Before the store is in its place and not after it: no store may lack the way back, old or new.
        private.add_to_domain(plan.settings.domain, plan.sources)
        store = writer.finish(_manifest(plan), plan.splits, plan.split.seed)
        private.write_domain(plan.settings.domain, plan.sources)
    return store, tuple(failures)


def _manifest(plan: PreparationPlan) -> Manifest:
    settings = plan.settings
    return Manifest(
        domain=settings.domain,
        modality=settings.modality,
        plane=settings.plane,
        size=settings.size,
        window=plan.window,
        class_names=settings.label_map.class_names,
        class_values=settings.label_map.class_values,
        id_key=settings.key.fingerprint,
    )


def _record(plan: PreparationPlan) -> None:
    """Write into medsegan.toml what is settled now; only after the store is in its place."""
    settings = plan.settings
    domain = DomainSettings(
        modality=settings.modality,
        values=dict(settings.label_map.values),
        source=plan.discovery.layout,
        test_fraction=plan.split.test_fraction,
        # With all patients in the test nothing was said about validation: what was recorded before stays.
        val_fraction=None if plan.split.test_fraction == 1.0 else plan.split.val_fraction,
        seed=plan.split.seed,
        window=plan.window,
    )
    replace(
        plan.workspace,
        labels=dict(settings.label_map.labels),
        domains={**plan.workspace.domains, settings.domain: domain},
        preparation=PreparationSettings(settings.size, settings.plane),
    ).write()
