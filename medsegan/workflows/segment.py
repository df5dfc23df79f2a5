"""`segment`: scans in, label volumes on their own grids out."""

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from ..errors import InputError, NothingToDoError, UsageError
from ..imaging import (
    is_dicom_index,
    is_picture_file,
    is_scan,
    scan_stem,
    write_label,
    write_probabilities,
    write_volume,
)
from ..progress import SILENT, Progress
from ..slices import assemble_probabilities, cut_label
from .choose_model import choose_model
from .datasets.listing import holds_radiographs, is_dicom_file, is_volume_file
from .datasets.scan_list import list_scans
from .device import choose_device
from .label_scan import LabeledScan, Labelling, Reading, label_scan
from .model_file import TrainedModel, read_model
from .overlays import write_preview
from .scan_names import RENAMED, ScanNames
from .segment_options import (
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

PICTURE_SUFFIX = ".png"
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha", PICTURE_SUFFIX)


@dataclass(frozen=True)
class _Job:
    """One scan and the files that come of it; None = not asked for."""

    source: Path
    output: Path
    probabilities: Path | None
    residual: Path | None
    preview: Path | None


def segment(workspace: Workspace | None, options: SegmentOptions, progress: Progress = SILENT) -> SegmentResult:
    """The labelled scans; a bad one does not stop a batch.

    Args:
        workspace: where the model is looked up; None = the model is named by its path.
        options: see `SegmentOptions`.
        progress: hears of slices and notes.

    Raises:
        InputError: there is no such scan.
        UsageError: the output has no known format or is there already.
        ModelError, DeviceError: see `choose_model`, `choose_device`.
        NothingToDoError: all masks are there already.
    """
    names = ScanNames(workspace, options)
    with names.redaction.of_errors():
        return names.without_names(_segment(workspace, options, names, progress))


def _segment(
    workspace: Workspace | None, options: SegmentOptions, names: ScanNames, progress: Progress
) -> SegmentResult:
    is_batch = _is_batch(options.source)
    jobs = _batch_jobs(options, names, progress) if is_batch else [_single_job(options, names, progress)]
    _require_writable(jobs)
    jobs, skipped = _without_existing(jobs, options)
    folder = choose_model(workspace, options.model)
    device, reason = choose_device(options.device)
    model = read_model(folder, device)
    _require_possible(model, options)
    progress.note(f"model {folder.parent.name} on {device} ({reason}), {options.n_steps} steps")
    if options.dry_run:
        planned = tuple(SegmentedCase(job.source, job.output, 0.0, {}, {}, None, ()) for job in jobs)
        return SegmentResult(planned, (), skipped, folder, str(device), dry_run=True)
    cases, failures = [], []
    progress.start("segment", len(jobs), "scans")
    for count, job in enumerate(jobs, start=1):
        try:
            cases.append(_run(job, (model, device), options, names, progress))
        except Exception as error:  # one bad scan, whatever is wrong with it, must not end a batch
            if not is_batch:
                raise
            failures.append(Failure(job.source, describe(error)))
        progress.update(count)
    progress.finish()
    return SegmentResult(tuple(cases), tuple(failures), skipped, folder, f"{device} ({reason})")


def _run(
    job: _Job,
    trained: tuple[TrainedModel, torch.device],
    options: SegmentOptions,
    names: ScanNames,
    progress: Progress,
) -> SegmentedCase:
    model, device = trained
    began = time.perf_counter()
    reading = Reading(options.modality, options.series, fix_gaps=options.fix_gaps)
    labelling = Labelling(options.n_steps, options.objective, options.keep_largest)
    scan = label_scan(model, device, job.source, reading, labelling)
    for note in scan.notes:
        progress.note(f"{names.called(job.source).name}: {note}")
    _write(scan, job, model)
    residual = scan.residual_slices
    return SegmentedCase(
        source=job.source,
        output=job.output,
        seconds=round(time.perf_counter() - began, 2),
        volumes_ml=scan.volumes_ml(model.facts.class_names),
        removed_voxels={model.facts.class_names[index]: n for index, n in scan.removed_voxels.items()},
        residual=None if residual is None else round(float(residual.mean()), 4),
        notes=scan.notes,
    )


def _write(scan: LabeledScan, job: _Job, model: TrainedModel) -> None:
    """Write what was asked for, the mask last: where it is, all else is there too."""
    for path in (job.output, job.probabilities, job.residual, job.preview):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    if job.probabilities is not None:
        volumes = assemble_probabilities(scan.prediction.probabilities.numpy(), scan.prepared.frame)
        write_probabilities(volumes, len(model.facts.class_names), scan.volume.grid, job.probabilities)
    if job.residual is not None:
        write_volume(scan.residual_volume(), job.residual)
    if job.preview is not None:
        labels = cut_label(scan.indices, scan.prepared.frame, len(model.facts.class_names))
        write_preview(scan.images, labels, job.preview)
    like = job.source if is_volume_file(job.source) else None
    write_label(scan.label(model.facts.class_values), job.output, like=like)


def _is_batch(source: Path) -> bool:
    """Whether a path is a folder of scans, and not one scan."""
    if not source.exists():
        raise InputError(f"{source}: there is no such file or folder")
    if not source.is_dir():
        return False
    return holds_radiographs(source) or not any(is_dicom_file(path) for path in source.iterdir() if path.is_file())


def _single_job(options: SegmentOptions, names: ScanNames, progress: Progress) -> _Job:
    if not (options.source.is_dir() or is_scan(options.source) or is_dicom_index(options.source)):
        raise InputError(f"{options.source}: this is no scan; expected NIfTI, NRRD, MetaImage, DICOM, PNG or TIFF")
    output = options.output
    if output.is_dir():
        name = scan_stem(options.source.resolve() if options.source.is_dir() else options.source)
        output = output / f"{names.stem(options.source, name)}{_mask_suffix(options.source)}"
        if names.is_telling(options.source, name):
            progress.note(RENAMED)
    return _Job(options.source, _with_suffix(output), options.probabilities, options.residual, options.preview)


def _batch_jobs(options: SegmentOptions, names: ScanNames, progress: Progress) -> list[_Job]:
    output = options.output
    if (output.exists() and not output.is_dir()) or output.name.lower().endswith(SUFFIXES):
        raise UsageError(f"{options.source} is a folder of scans, so -o must be a folder of masks, got {output}")
    found = list_scans(options.source)
    if not found.scans:
        raise InputError(
            f"{options.source}: no scan in this folder; expected NIfTI, NRRD, MetaImage, DICOM, PNG or TIFF"
        )
    if found.left_out:
        named = ": " + ", ".join(path.name for path in found.left_out[:5]) if options.show_names else ""
        progress.note(f"{len(found.left_out)} files are labels or further channels and left out{named}")
    jobs = []
    for entry in found.scans:
        stem = names.stem(entry.path, entry.key)
        if names.is_telling(entry.path, entry.key):
            progress.note(f"{names.called(entry.path).name}: {RENAMED}")
        jobs.append(
            _Job(
                entry.path,
                output / f"{stem}{_mask_suffix(entry.path)}",
                options.probabilities and options.probabilities / f"{stem}.nii.gz",
                options.residual and options.residual / f"{stem}.nii.gz",
                options.preview and options.preview / f"{stem}.png",
            )
        )
    return jobs


def _require_writable(jobs: list[_Job]) -> None:
    """Refuse, before any work, what could not be written in the end or would replace a scan."""
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        for path in (job.output, job.probabilities, job.residual, job.preview):
            if path is not None and path.resolve() in sources:
                raise UsageError(f"{path} is a scan that is read; give another place to write to")
        if job.probabilities and not job.probabilities.name.lower().endswith((".nii.gz", ".nii")):
            raise UsageError(f"--probabilities {job.probabilities}: four axes are written as .nii.gz or .nii only")
        if job.residual and _with_suffix(job.residual).suffix.lower() == PICTURE_SUFFIX:
            raise UsageError(f"--residual {job.residual}: a PNG can hold labels only; write .nii.gz")


def _with_suffix(output: Path) -> Path:
    if not output.name.lower().endswith(SUFFIXES):
        raise UsageError(f"-o {output}: the suffix decides the format; use one of {', '.join(SUFFIXES)}")
    return output


def _without_existing(jobs: list[_Job], options: SegmentOptions) -> tuple[list[_Job], tuple[Path, ...]]:
    existing = [job for job in jobs if _is_there(job)]
    if existing and options.skip_existing:
        left = [job for job in jobs if not _is_there(job)]
        if not left:
            raise NothingToDoError(
                f"all {len(existing)} masks are there already; pass --overwrite to make them again"
            )
        return left, tuple(job.output for job in existing)
    if existing and not options.overwrite:
        raise UsageError(
            f"{existing[0].output} or what belongs to it is there already ({len(existing)} in all); "
            "pass --overwrite or --skip-existing"
        )
    return jobs, ()


def _mask_suffix(source: Path) -> str:
    """Of a mask that nobody named: of a picture a picture."""
    return PICTURE_SUFFIX if is_picture_file(source) else ".nii.gz"


def _is_there(job: _Job) -> bool:
    return any(p is not None and p.exists() for p in (job.output, job.probabilities, job.residual, job.preview))


def _require_possible(model: TrainedModel, options: SegmentOptions) -> None:
    if options.residual is not None and model.method == "unet":
        raise UsageError("--residual: a U-Net reconstructs nothing; use a model of the joint GAN or leave it out")
    require_objective(options.objective, model.method, options.n_steps)
