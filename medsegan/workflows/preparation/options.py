"""What can be asked of `prepare`."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import UsageError
from ...imaging import DEFAULT_WINDOWS, Modality
from ...slices import PLANE_CODES, Plane
from ..workspace_names import require_domain_name
from .split_settings import SplitSettings

SMALLEST_SIZE, LARGEST_SIZE = 32, 1024


@dataclass(frozen=True)
class PrepareOptions:
    """The options of one preparation.

    Args:
        paths: files and folders with scans.
        labels: folder of label files or the label file of the one scan; None = found by name.
        domain: name of the domain; None = "ct", "mri" or "xray" after the modality.
        modality: what all scans are; None = found out from the scans.
        classes: name -> value in these label files, all else becomes background; None = all values that there are.
        size: rows and columns of a slice, a power of two from 32 to 1024; None = the workspace's, 128 in a new
            one.
        plane: plane of the slices; None = the workspace's, "axial" in a new one.
        window: lowest and highest stored intensity shown to a network; None = as recorded for the domain, else
            usual for the modality.
        seed: of the split; None = as recorded for the domain, else 0.
        val_fraction: share of the labelled patients for validation; None = as recorded for the domain, else 0.1.
        test_fraction: share of the labelled patients for the test, 1 puts all of them there; None = as recorded
            for the domain, else 0.2.
        contrast: which of several images of a case: number or name of a channel, suffix of BIDS; None = the only
            one, or the first channel.
        series: which series is read of each folder with several DICOM series: a SeriesInstanceUID, or a number in
            the list that the error shows; None = each holds only one.
        fix_gaps: whether missing or unevenly spaced DICOM slices are filled by interpolation and not refused.
        resample_labels: whether labels on another grid than their scan are resampled instead of refused.
        workers: how many cases are prepared side by side, each in a process of its own; 1 = one after the other in
            this one; None = as processors, memory and the amount of work allow.
        overwrite: whether a store of this domain is replaced.
        skip_existing: whether cases that an earlier preparation, finished or cut short, has done are taken over
            where neither their files nor anything that decides what becomes of them has changed.
        show_names: whether messages name scans by their paths, which may tell who the patients are.
        dry_run: whether only to say what would be done.

    Raises:
        UsageError: an option is out of its range.
    """

    paths: tuple[Path, ...]
    labels: Path | None = None
    domain: str | None = None
    modality: Modality | None = None
    classes: dict[str, int] | None = None
    size: int | None = None
    plane: Plane | None = None
    window: tuple[float, float] | None = None
    seed: int | None = None
    val_fraction: float | None = None
    test_fraction: float | None = None
    contrast: str | None = None
    series: str | None = None
    fix_gaps: bool = False
    resample_labels: bool = False
    workers: int | None = None
    overwrite: bool = False
    skip_existing: bool = False
    dry_run: bool = False
    show_names: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", tuple(Path(path) for path in self.paths))
        if self.domain is not None:
            require_domain_name(self.domain)
        if self.modality is not None and self.modality not in DEFAULT_WINDOWS:
            raise UsageError(f"--modality must be one of {', '.join(DEFAULT_WINDOWS)}, got {self.modality!r}")
        if self.plane is not None and self.plane not in PLANE_CODES:
            raise UsageError(f"--plane must be one of {', '.join(PLANE_CODES)}, got {self.plane!r}")
        size = self.size
        if size is not None and not (SMALLEST_SIZE <= size <= LARGEST_SIZE and size & (size - 1) == 0):
            raise UsageError(f"--size must be a power of two from {SMALLEST_SIZE} to {LARGEST_SIZE}, got {size}")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise UsageError(f"--window must run from a lower to a higher intensity, got {self.window}")
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"--workers must be at least 1, got {self.workers}")
        if self.overwrite and self.skip_existing:
            raise UsageError("--overwrite prepares all cases again and --skip-existing does not; pass one of them")
        if self.test_fraction is not None or self.val_fraction is not None:
            SplitSettings(0.0, 0.0).replaced(self.test_fraction, self.val_fraction, self.seed)
