"""`segment`: scans in, label volumes on their own grids out."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from ..errors import UsageError
from ..imaging import (
    content_hash,
    write_dicom_label,
    write_label,
    write_probabilities,
    write_volume,
)
from ..progress import SILENT, Progress
from ..slices import assemble_probabilities, cut_label
from .choose_model import choose_model
from .device import choose_device
from .model_file import TrainedModel, read_model
from .output_folder import make_folder_of
from .overlays import write_preview
from .provenance import Making, Origin, algorithm_of, series_setting, write_provenance
from .segmentation.jobs import Job, plan_jobs, require_absent, without_finished
from .segmentation.label_scan import LabeledScan, Labelling, Reading, label_scan
from .segmentation.names import ScanNames
from .segmentation.options import (
    Failure,
    Quality,
    SegmentedCase,
    SegmentOptions,
    SegmentResult,
    describe,
    require_objective,
)
from .workspace import Workspace

__all__ = ["Failure", "Quality", "SegmentOptions", "SegmentResult", "SegmentedCase", "segment"]


def segment(workspace: Workspace | None, options: SegmentOptions, progress: Progress = SILENT) -> SegmentResult:
    """The labelled scans; a bad one does not stop a batch.

    Args:
        workspace: where the model is looked up; None = the model is named by its path.
        options: see `SegmentOptions`.
        progress: hears of notes, and of the slices of one scan or the scans of a batch.

    Raises:
        InputError: there is no such scan.
        UsageError: the output has no known format, or is there already and not to be left or replaced.
        ModelError, DeviceError: see `choose_model`, `choose_device`.
        NothingToDoError: all masks are there already.
    """
    names = ScanNames(workspace, options)
    with names.redaction.of_errors():
        return names.without_names(_segment(workspace, options, names, progress))


def _segment(
    workspace: Workspace | None, options: SegmentOptions, names: ScanNames, progress: Progress
) -> SegmentResult:
    jobs, is_batch = plan_jobs(options, names, progress)
    require_absent(jobs, options)
    folder = choose_model(workspace, options.model)
    device, reason = choose_device(options.device)
    work = _Work((read_model(folder, device), device), options, names, progress)
    found = without_finished(jobs, options, work.origin)
    if found.failures and not is_batch:
        raise UsageError(found.failures[0].message)
    progress.note(f"model {folder.parent.name} on {device} ({reason}), {work.n_steps} steps")
    if options.dry_run:
        planned = tuple(SegmentedCase(job.source, job.output, 0.0, {}, {}, None, ()) for job in found.to_do)
        return SegmentResult(planned, found.failures, found.skipped, folder, str(device), dry_run=True)
    if is_batch:
        cases, failures = _do_batch(work, found.to_do, progress)
    else:
        cases, failures = [work.do(job, progress) for job in found.to_do], []
    return SegmentResult(tuple(cases), (*found.failures, *failures), found.skipped, folder, f"{device} ({reason})")


def _do_batch(work: "_Work", jobs: Sequence[Job], progress: Progress) -> tuple[list[SegmentedCase], list[Failure]]:
    cases, failures = [], []
    progress.start("segment", len(jobs), "scans")
    for count, job in enumerate(jobs, start=1):
        try:
            cases.append(work.do(job))
        except Exception as error:  # one bad scan, whatever is wrong with it, must not end a batch
            failures.append(Failure(job.source, describe(error)))
        progress.update(count)
    progress.finish()
    return cases, failures


class _Work:
    """What all scans of one call have in common.

    Args:
        trained: the model and where it computes.
        options: see `SegmentOptions`.
        names: what scans are called.
        progress: hears of notes.

    Raises:
        UsageError: the model cannot do what is asked for.
    """

    def __init__(
        self,
        trained: tuple[TrainedModel, torch.device],
        options: SegmentOptions,
        names: ScanNames,
        progress: Progress,
    ) -> None:
        self.model, self.device = trained
        self.options, self.names, self.progress = options, names, progress
        self.n_steps = options.n_steps if self.model.method == "gan" else 0
        if options.residual is not None and self.model.method == "unet":
            raise UsageError(
                "--residual: a U-Net reconstructs nothing; use a model of the joint GAN or leave it out"
            )
        require_objective(options.objective, self.model.method, options.n_steps)

    def origin(self, source: Path) -> Origin:
        """All that decides on the files of a scan."""
        options = self.options
        settings = {
            "steps": self.n_steps,
            "objective": options.objective,
            "keep_largest": options.keep_largest,
            "modality": options.modality,
            "series": series_setting(options.series),
            "fix_gaps": options.fix_gaps,
            "channel": options.channel,
            "form": options.form,
            "reproducible_uids": options.reproducible_uids,
        }
        return Origin("segment", content_hash(source), settings, self.model.digest)

    def do(self, job: Job, progress: Progress = SILENT) -> SegmentedCase:
        """Label one scan and write all that comes of it.

        Args:
            job: the scan and its files.
            progress: hears of slices.
        """
        began, facts = time.perf_counter(), self.model.facts
        origin = self.origin(job.source)
        options = self.options
        reading = Reading(options.modality, options.series, None, options.fix_gaps, options.channel)
        labelling = Labelling(self.n_steps, self.options.objective, self.options.keep_largest)
        scan = label_scan(self.model, self.device, job.source, reading, labelling, progress)
        notes = (*scan.notes, *self._write(scan, job))
        for note in notes:
            self.progress.note(f"{self.names.called(job.source).name}: {note}")
        seconds = round(time.perf_counter() - began, 2)
        making = Making(seconds, str(self.device), None, notes, facts.labels, (job.source,))
        for role, path in job.files.items():
            write_provenance(path, origin, making, role)
        residual = scan.residual_slices
        return SegmentedCase(
            source=job.source,
            output=job.output,
            seconds=seconds,
            volumes_ml=scan.volumes_ml(facts.class_names),
            removed_voxels={facts.class_names[index]: n for index, n in scan.removed_voxels.items()},
            residual=None if residual is None else round(float(residual.mean()), 4),
            notes=notes,
        )

    def _write(self, scan: LabeledScan, job: Job) -> tuple[str, ...]:
        """Write what was asked for, the mask last: where it is, all else is there too; notes on it come back."""
        facts = self.model.facts
        for path in job.files.values():
            make_folder_of(path)
        if job.probabilities is not None:
            volumes = assemble_probabilities(scan.prediction.probabilities.numpy(), scan.prepared.frame)
            write_probabilities(volumes, len(facts.class_names), scan.volume.grid, job.probabilities)
        if job.residual is not None:
            write_volume(scan.residual_volume(), job.residual)
        if job.preview is not None:
            labels = cut_label(scan.indices, scan.prepared.frame, len(facts.class_names))
            write_preview(scan.images, labels, job.preview)
        label = scan.label(facts)
        if not job.is_dicom:
            write_label(label, job.output, like=job.source)
            return ()
        return write_dicom_label(
            label,
            job.output,
            source=job.source,
            form=self.options.form or "seg",
            series=self.options.series,
            algorithm=algorithm_of(self.model.digest),
            reproducible_uids=self.options.reproducible_uids,
        )
