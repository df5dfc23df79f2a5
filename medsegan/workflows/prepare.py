"""`prepare`: scans and labels in any usual layout into the slice store of one domain."""

import shutil
from dataclasses import replace
from pathlib import Path

from ..errors import DataError, InputError, NothingToDoError
from ..progress import SILENT, Progress
from ..slices import Manifest, SliceStore, StoreWriter
from .datasets.discover import discover
from .preparation.agreement import require_free
from .preparation.contact_sheet import write_contact_sheet
from .preparation.make_cases import make_cases
from .preparation.names import redaction_for, without_names
from .preparation.options import PrepareOptions
from .preparation.plan import PreparationPlan, plan_preparation
from .preparation.result import ClassSummary, Failures, NothingPreparedError, PrepareResult
from .preparation.summary import expected_result, final_result, unreadable_labels
from .preparation.workers import choose_workers
from .processes.crew import Crew
from .workspace import DomainSettings, PreparationSettings, Workspace

__all__ = ["ClassSummary", "NothingPreparedError", "PrepareOptions", "PrepareResult", "prepare"]

CONTACT_SHEET = "contact_sheet.png"


def prepare(workspace_folder: Path, options: PrepareOptions, progress: Progress = SILENT) -> PrepareResult:
    """What was prepared: the slice store of a domain, complete and in its place, recorded in the workspace.

    The workspace is made if the folder is none yet. Of each worker one case is in memory at a time. A case that
    fails is left out and named in the result. If the whole cannot be done, what is there already stays as it is;
    cases that are done by then are kept beside it for `skip_existing`.

    Args:
        workspace_folder: the folder of the workspace.
        options: what to prepare and how.
        progress: hears of stages and notes.

    Raises:
        UsageError: options contradict each other or the workspace, or there is a store already.
        InputError: paths are not there or hold no scan, or the disk is too small or full.
        DataError: names or values of labels are ambiguous, or no case could be prepared (`NothingPreparedError`).
        NothingToDoError: with `skip_existing`, the store holds all cases just as they would be prepared now.
    """
    with redaction_for(options).of_errors():
        result, is_new = _prepare(Workspace.open(workspace_folder), options, progress)
    if not is_new and not result.failures:
        raise NothingToDoError(
            f"all {result.n_cases} cases are in {result.store} already and nothing has changed; --overwrite "
            "prepares them again"
        )
    return result


def _prepare(workspace: Workspace, options: PrepareOptions, progress: Progress) -> tuple[PrepareResult, bool]:
    """The result, and whether anything was written for it, or would be."""
    if options.domain is not None:
        require_free(workspace.store_path(options.domain), options)
    found = discover(options.paths, options.labels, options.contrast)
    discovery = without_names(found, redaction_for(options))
    progress.note(f"{discovery.layout}: {len(discovery.cases)} cases, {discovery.n_labeled} of them with labels")
    choice = choose_workers(options.workers, discovery.cases)
    with Crew(choice.n_workers, choice.n_threads) as crew:
        plan = plan_preparation(workspace, options, discovery, crew, progress)
        plan = replace(plan, notes=(*plan.notes, *choice.notes))
        for note in plan.notes:
            progress.note(note)
        if options.dry_run:
            return expected_result(plan), True
        _require_space(plan)
        store, failures, is_new = _write_store(plan, crew, progress)
    _record(plan)
    sheet = store.folder / CONTACT_SHEET
    if is_new or not sheet.is_file():
        write_contact_sheet(store, sheet)
    return final_result(plan, store, sheet, failures), is_new


def _require_space(plan: PreparationPlan) -> None:
    root = plan.workspace.root.resolve()
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    n_bytes = plan.n_bytes(plan.to_do)
    if n_bytes > free:
        raise InputError(
            f"the slices need about {n_bytes / 1e6:,.1f} MB, but the disk of {existing} has {free / 1e6:,.1f} "
            "MB free; use a smaller --size or a workspace elsewhere (-C)"
        )


def _write_store(plan: PreparationPlan, crew: Crew, progress: Progress) -> tuple[SliceStore, Failures, bool]:
    """The store, the cases that are not in it, and whether anything had to be written for it."""
    replaces = plan.options.overwrite or plan.options.skip_existing
    with StoreWriter(plan.store_path, replaces, taken=tuple(plan.done.values()), keep=True) as writer:
        private, domain = plan.workspace.private, plan.settings.domain
        is_known_key = private.read_key() is not None
        try:
            # First of all: without it nobody could tell again whose the cases are that are done.
            private.keep_key(plan.settings.key)
            failures = _fill(plan, writer, crew, progress)
            manifest, seed = _manifest(plan), plan.split.seed
            if plan.options.skip_existing and writer.is_as_before(manifest, plan.splits, seed):
                private.write_domain(domain, plan.sources)
                return SliceStore.open(plan.store_path), failures, False
            _workspace_now(plan)
            # Before the store is in its place and not after it: no store may lack the way back, old or new.
            private.keep_key(plan.settings.key)
            private.add_to_domain(domain, plan.sources)
            store = writer.finish(manifest, plan.splits, seed)
        except BaseException:
            crew.close()
            if writer.n_done:
                progress.note(f"{writer.n_done} cases are done and kept; --skip-existing goes on from them")
            elif not is_known_key:
                private.remove_key()
            raise
        private.write_domain(domain, plan.sources)
    return store, failures, True


def _fill(plan: PreparationPlan, writer: StoreWriter, crew: Crew, progress: Progress) -> Failures:
    """Prepare what is to be prepared and include all that is done; returns what could not be."""
    reasons = make_cases(plan, writer.place, crew, progress)
    failed = (plan.failure(case, reasons[case.image]) for case in plan.cases if case.image in reasons)
    failures = (*unreadable_labels(plan), *failed)
    included = [case for case in plan.cases if case.image not in reasons]
    if not included:
        raise NothingPreparedError(f"none of {len(failures)} cases can be prepared", failures)
    for case in included:
        writer.include(plan.case_id(case))
    return failures


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
    now = _workspace_now(plan)
    replace(
        now,
        labels=dict(settings.label_map.labels),
        domains={**now.domains, settings.domain: domain},
        preparation=PreparationSettings(settings.size, settings.plane),
    ).write()


def _workspace_now(plan: PreparationPlan) -> Workspace:
    """The workspace with what others have written into medsegan.toml since the plan was made.

    Raises:
        DataError: they changed what all domains have in common, so that the plan does not fit any more.
    """
    now, settings = Workspace.open(plan.workspace.root), plan.settings
    ours = (list(settings.label_map.labels.items()), PreparationSettings(settings.size, settings.plane))
    before = (list(plan.workspace.labels.items()), plan.workspace.preparation)
    if (list(now.labels.items()), now.preparation) not in (before, ours):
        raise DataError(
            f"the labels or the preparation in {now.file} were changed while this command ran; run it again"
        )
    return now
