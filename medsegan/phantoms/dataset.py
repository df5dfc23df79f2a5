"""A folder of phantoms, laid out as users lay out their own scans."""

from pathlib import Path

import numpy as np

from ..errors import InputError, UsageError
from ..geometry import reorientation_to
from ..imaging import LabelVolume, Volume, write_label, write_series, write_volume
from ..progress import SILENT, Progress
from .appearance import Appearance
from .case import Phantom, generate_case

_DICOM_CODES = "LPS"
"""Columns to the left, rows to the back, slices to the head: the order in which axial DICOM is read."""


def write_dataset(
    folder: Path,
    appearance: Appearance,
    n_cases: int,
    seed: int,
    *,
    n_labeled: int | None = None,
    dicom: bool = False,
    progress: Progress = SILENT,
) -> list[Path]:
    """The paths of the written scans: `images/ct_000.nii.gz` with `labels/ct_000.nii.gz`, and so on.

    Both appearances may share a folder. Equal arguments write equal voxels and places.

    Args:
        folder: is created; must hold no scan or label of this appearance yet.
        appearance: "ct" or "mr", also the prefix of the names.
        n_cases: how many patients, at least 1.
        seed: of the data set, at least 0.
        n_labeled: the first so many get labels; `None` labels all.
        dicom: write each scan as a folder `images/ct_000/` of a DICOM series; labels stay NIfTI.
        progress: hears of each case.

    Raises:
        UsageError: a number out of range, or phantoms of this appearance are there already.
        InputError: the folder cannot be made or written.
    """
    n_labeled = n_cases if n_labeled is None else n_labeled
    if n_cases < 1 or not 0 <= n_labeled <= n_cases:
        raise UsageError(
            f"need at least 1 case and 0 to {n_cases} labelled, got {n_cases} and {n_labeled} labelled"
        )
    images, labels = _make_folders(folder, appearance)
    written = []
    progress.start(f"{appearance} phantoms", n_cases, "cases")
    for index in range(n_cases):
        phantom = generate_case(seed, index, appearance)
        stem = f"{appearance}_{index:03d}"
        if dicom:
            phantom = _reoriented(phantom, _DICOM_CODES)
            path = images / stem
            write_series(phantom.volume, path, seed_uid=f"medsegan phantom {seed} {stem}")
        else:
            path = images / f"{stem}.nii.gz"
            write_volume(phantom.volume, path)
        if index < n_labeled:
            write_label(phantom.label, labels / f"{stem}.nii.gz")
        written.append(path)
        progress.update(index + 1)
    progress.finish()
    return written


def _make_folders(folder: Path, appearance: Appearance) -> tuple[Path, Path]:
    """The empty folders for images and labels; a stale case among new ones would go unnoticed."""
    images, labels = folder / "images", folder / "labels"
    for part in (images, labels):
        try:
            part.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{part}: the folder cannot be made ({error}); choose another") from error
        if found := sorted(part.glob(f"{appearance}_*")):
            raise UsageError(
                f"{part} holds {len(found)} {appearance} phantoms already, such as {found[0].name}; "
                "remove them or choose another folder"
            )
    return images, labels


def _reoriented(phantom: Phantom, codes: str) -> Phantom:
    """The same phantom with its voxels in another order."""
    order = reorientation_to(phantom.volume.grid, codes)
    grid = order.grid(phantom.volume.grid)
    image, label = (np.ascontiguousarray(order.apply(part.array)) for part in (phantom.volume, phantom.label))
    return Phantom(Volume(image, grid, phantom.volume.modality), LabelVolume(label, grid), phantom.variants)
