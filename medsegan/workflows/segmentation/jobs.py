"""Which scans are to be labelled, where their files go, and which of those are there already."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, NothingToDoError, UsageError
from ...imaging import is_dicom_file, is_dicom_index, is_picture_file, is_scan, scan_stem
from ...progress import Progress
from ..datasets.listing import holds_radiographs
from ..datasets.scan_list import list_scans
from ..dicom_label import DICOM_SUFFIX, holds_dicom, is_dicom_name
from ..provenance import Origin, find_difference
from .names import RENAMED, ScanNames
from .options import Failure, SegmentOptions

PICTURE_SUFFIX = ".png"
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha", PICTURE_SUFFIX, DICOM_SUFFIX)


@dataclass(frozen=True)
class Job:
    """One scan and the files that come of it; None = not asked for."""

    source: Path
    output: Path
    probabilities: Path | None = None
    residual: Path | None = None
    preview: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        """Role -> path of every file that comes of it, the mask last."""
        roles = {"probabilities": self.probabilities, "residual": self.residual, "preview": self.preview}
        return {role: path for role, path in {**roles, "mask": self.output}.items() if path is not None}

    @property
    def is_dicom(self) -> bool:
        """Whether its mask is a DICOM object."""
        return is_dicom_name(self.output)


@dataclass(frozen=True)
class Sorted:
    """Jobs by what is there of them.

    Args:
        to_do: nothing is there, or it is to be replaced.
        skipped: masks that are exactly what would be made.
        failures: scans whose masks are something else and not to be replaced.
    """

    to_do: tuple[Job, ...]
    skipped: tuple[Path, ...]
    failures: tuple[Failure, ...]


def plan_jobs(options: SegmentOptions, names: ScanNames, progress: Progress) -> tuple[list[Job], bool]:
    """The jobs, and whether they are a batch.

    Args:
        options: see `SegmentOptions`.
        names: what scans and their files are called.
        progress: hears of what is left out or called by an id.

    Raises:
        InputError: there is no scan.
        UsageError: the output has no known format, or a file would replace a scan or lie among its slices.
    """
    is_batch = _is_batch(options.source)
    jobs = _batch_jobs(options, names, progress) if is_batch else [_single_job(options, names, progress)]
    _require_writable(jobs)
    if options.reproducible_uids and not any(job.is_dicom for job in jobs):
        raise UsageError("--reproducible-uids: only DICOM masks have UIDs; write .dcm or leave it out")
    return jobs, is_batch


def require_absent(jobs: list[Job], options: SegmentOptions) -> None:
    """Refuse, before any work, what is there already, unless it is said what to do with it.

    Raises:
        UsageError: a file is there.
    """
    existing = [job for job in jobs if any(path.exists() for path in job.files.values())]
    if existing and not (options.overwrite or options.skip_existing):
        raise UsageError(
            f"{existing[0].output} or what belongs to it is there already ({len(existing)} in all); "
            "pass --overwrite or --skip-existing"
        )


def without_finished(jobs: list[Job], options: SegmentOptions, origin_of: Callable[[Path], Origin]) -> Sorted:
    """The jobs, sorted by whether their files are what would be made, by content and not by name or time.

    Args:
        jobs: all of them.
        options: with `skip_existing` finished ones are left; with `overwrite` others are made again.
        origin_of: what would decide on the files of a scan.

    Raises:
        NothingToDoError: all masks are finished.
    """
    if not options.skip_existing:
        return Sorted(tuple(jobs), (), ())
    to_do: list[Job] = []
    skipped: list[Path] = []
    failures: list[Failure] = []
    for job in jobs:
        there = {role: path for role, path in job.files.items() if path.exists()}
        if not there:
            to_do.append(job)
            continue
        try:
            difference = _difference(job, there, origin_of(job.source))
        except InputError as error:
            failures.append(Failure(job.source, str(error)))
            continue
        if difference is None and len(there) == len(job.files):
            skipped.append(job.output)
        elif difference is None or options.overwrite:
            to_do.append(job)
        else:
            failures.append(Failure(job.source, f"{difference}; --overwrite makes it again"))
    if not to_do and not failures:
        raise NothingToDoError(f"all {len(skipped)} masks are there already; pass --overwrite to make them again")
    return Sorted(tuple(to_do), tuple(skipped), tuple(failures))


def _difference(job: Job, there: dict[str, Path], origin: Origin) -> str | None:
    for role, path in there.items():
        difference = find_difference(path, origin)
        if difference is not None:
            return f"its {role} {difference}"
    return None


def _is_batch(source: Path) -> bool:
    """Whether a path is a folder of scans, and not one scan."""
    if not source.exists():
        raise InputError(f"{source}: there is no such file or folder")
    if not source.is_dir():
        return False
    return holds_radiographs(source) or not any(is_dicom_file(path) for path in source.iterdir() if path.is_file())


def _single_job(options: SegmentOptions, names: ScanNames, progress: Progress) -> Job:
    if not (options.source.is_dir() or is_scan(options.source) or is_dicom_index(options.source)):
        raise InputError(f"{options.source}: this is no scan; expected NIfTI, NRRD, MetaImage, DICOM, PNG or TIFF")
    output = options.output
    if output.is_dir():
        name = scan_stem(options.source.resolve() if options.source.is_dir() else options.source)
        output = output / f"{names.stem(options.source, name)}{_mask_suffix(options.source, options)}"
        if names.is_telling(options.source, name):
            progress.note(RENAMED)
    if not output.name.lower().endswith(SUFFIXES):
        raise UsageError(f"-o {output}: the suffix decides the format; use one of {', '.join(SUFFIXES)}")
    job = Job(options.source, output, options.probabilities, options.residual, options.preview)
    if options.form is not None and not job.is_dicom:
        raise UsageError(f"--as {options.form}: writes DICOM, but -o is {output}; give -o a name in .dcm")
    if job.is_dicom and not holds_dicom(options.source):
        raise UsageError(
            f"-o {output}: a DICOM mask refers to the slices of a DICOM scan, and {options.source} is none; "
            "write .nii.gz"
        )
    return job


def _batch_jobs(options: SegmentOptions, names: ScanNames, progress: Progress) -> list[Job]:
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
            Job(
                entry.path,
                output / f"{stem}{_mask_suffix(entry.path, options)}",
                options.probabilities and options.probabilities / f"{stem}.nii.gz",
                options.residual and options.residual / f"{stem}.nii.gz",
                options.preview and options.preview / f"{stem}.png",
            )
        )
    return jobs


def _mask_suffix(source: Path, options: SegmentOptions) -> str:
    """Of a mask that nobody named: DICOM if a DICOM object is asked for, of a picture a picture."""
    if options.form is not None:
        return DICOM_SUFFIX
    return PICTURE_SUFFIX if is_picture_file(source) else ".nii.gz"


def _require_writable(jobs: list[Job]) -> None:
    """Refuse, before any work, what could not be written in the end or would replace or mend a scan."""
    sources = {job.source.resolve() for job in jobs}
    series = {source for source in sources if source.is_dir()}
    for job in jobs:
        for path in job.files.values():
            if path.resolve() in sources:
                raise UsageError(f"{path} is a scan that is read; give another place to write to")
        if job.is_dicom and (series & set(job.output.resolve().parents)):
            raise UsageError(f"{job.output} would lie among the slices that are read; write it elsewhere")
        if job.probabilities and not job.probabilities.name.lower().endswith((".nii.gz", ".nii")):
            raise UsageError(f"--probabilities {job.probabilities}: four axes are written as .nii.gz or .nii only")
        if job.residual:
            _require_volume(job.residual)


def _require_volume(residual: Path) -> None:
    if residual.name.lower().endswith(PICTURE_SUFFIX):
        raise UsageError(f"--residual {residual}: a PNG can hold labels only; write .nii.gz")
    if is_dicom_name(residual) or not residual.name.lower().endswith(SUFFIXES):
        raise UsageError(f"--residual {residual}: the suffix decides the format; use .nii.gz, .nii, .nrrd or .mha")
