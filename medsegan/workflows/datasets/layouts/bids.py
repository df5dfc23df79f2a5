"""BIDS: scans in sub-*/[ses-*/]anat, their labels in derivatives of the same shape."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ....errors import DataError, InputError, UsageError
from ..discovery import Discovery, FoundCase
from .bids_name import PROBABILITY_SUFFIX, BidsName, read_bids_name
from .bids_table import read_class_names

DERIVATIVES = "derivatives"
_DATA_TYPES = ("anat", "ct")


def is_bids(folder: Path) -> bool:
    """Whether a folder holds subjects of BIDS with anatomical images."""
    return any(
        place.is_dir()
        for subject in folder.glob("sub-*")
        if subject.is_dir()
        for kind in _DATA_TYPES
        for place in (subject / kind, *subject.glob(f"ses-*/{kind}"))
    )


def read_bids(folder: Path, contrast: str | None, labels: Path | None = None) -> Discovery | None:
    """The data set of BIDS in a folder; None where there is none.

    Args:
        folder: holds sub-01, sub-02, ...
        contrast: the suffix of the images to read, such as T1w; None = the only one.
        labels: where the labels are looked for; None = derivatives/ and beside the images.

    Raises:
        InputError: there is no image.
        DataError: there are images of several suffixes, or several labels of one image.
        UsageError: there are no images of the suffix asked for.
    """
    if not is_bids(folder):
        return None
    names, n_elsewhere = _names_of_subjects(folder)
    drawn = [*_below(labels), *names] if labels is not None else [*_below(folder / DERIVATIVES), *names]
    images = [name for name in names if name.is_scan]
    usable = [name for name in drawn if name.is_label and name.is_in_own_space]
    if not images:
        raise InputError(f"{folder} has subjects of BIDS but no image in {' or '.join(_DATA_TYPES)}")
    suffix = _chosen_suffix(images, usable, contrast)
    images = sorted((name for name in images if name.suffix == suffix), key=lambda name: name.stem)
    label_of = {image.path: _label_of(image, usable, folder) for image in images}
    used = {label for label in label_of.values() if label is not None}
    class_names, name_notes = read_class_names(used, (labels or folder / DERIVATIVES, folder))
    return Discovery(
        layout=f"BIDS, {suffix} images"
        + (f" and their labels in {labels.name if labels else DERIVATIVES}/" if used else " without labels"),
        cases=tuple(
            FoundCase(image.path, label_of[image.path], f"sub-{image.entities['sub']}", image.stem)
            for image in images
        ),
        orphans=_orphans(usable, names, used),
        class_names=class_names or None,
        names_from="the names of BIDS (dseg.tsv, or those of the masks)",
        notes=(*_notes(drawn, n_elsewhere), *name_notes),
    )


def _names_of_subjects(folder: Path) -> tuple[list[BidsName], int]:
    """The anatomical files of all subjects, and the number of the other images (of function, diffusion, ...)."""
    files = [path for subject in sorted(folder.glob("sub-*")) for path in sorted(subject.rglob("*.nii*"))]
    named = [name for path in files if path.is_file() and (name := read_bids_name(path)) is not None]
    inside = [name for name in named if name.path.parent.name in _DATA_TYPES]
    return inside, len(named) - len(inside)


def _below(folder: Path) -> list[BidsName]:
    """Every file of a subject below a folder of derivatives."""
    if not folder.is_dir():
        return []
    return [name for path in sorted(folder.rglob("sub-*.nii*")) if (name := read_bids_name(path)) is not None]


def _chosen_suffix(images: Sequence[BidsName], labels: Sequence[BidsName], contrast: str | None) -> str:
    counts = Counter(image.suffix for image in images)
    if contrast is not None:
        found = [suffix for suffix in counts if suffix.lower() == contrast.lower()]
        if len(found) != 1:
            raise UsageError(f"there are no images {contrast!r}; use one of {', '.join(sorted(counts))}")
        return found[0]
    if len(counts) == 1:
        return next(iter(counts))
    rows = []
    for suffix, count in sorted(counts.items()):
        n_labeled = sum(
            any(label.belongs_to(image) for label in labels) for image in images if image.suffix == suffix
        )
        rows.append(f"{suffix}: {count} images, {n_labeled} with labels")
    raise DataError(
        f"the subjects have images of {len(counts)} kinds ({'; '.join(rows)}); choose one with "
        f"--contrast {next(iter(sorted(counts)))}, and prepare each as a domain of its own"
    )


def _label_of(image: BidsName, labels: Sequence[BidsName], folder: Path) -> Path | None:
    """The labels of an image: of segmentation before mask, of the whole before those with a description."""
    fitting = [label for label in labels if label.belongs_to(image)]
    for suffix in ("dseg", *sorted({label.suffix for label in fitting} - {"dseg"})):
        same = [label for label in fitting if label.suffix == suffix]
        plain = [label for label in same if "desc" not in label.entities]
        best = plain or same
        if len(best) == 1:
            return best[0].path
        if best:
            listed = ", ".join(
                label.path.relative_to(folder).as_posix() if label.path.is_relative_to(folder) else label.path.name
                for label in best[:5]
            )
            raise DataError(
                f"{image.stem} has {len(best)} label files ({listed}); choose with --labels "
                f"{DERIVATIVES}/NAME, or leave one of them"
            )
    return None


def _orphans(labels: Iterable[BidsName], names: Sequence[BidsName], used: set[Path]) -> tuple[Path, ...]:
    """The labels of no image at all; those of images that were not chosen, or of a second kind, are none."""
    images = [name for name in names if name.is_scan]
    free = (label for label in labels if label.path not in used)
    return tuple(label.path for label in free if not any(label.belongs_to(image) for image in images))


def _notes(drawn: Sequence[BidsName], n_elsewhere: int) -> tuple[str, ...]:
    notes = []
    n_soft = sum(name.suffix == PROBABILITY_SUFFIX for name in drawn)
    n_on_template = sum(name.is_label and not name.is_in_own_space for name in drawn)
    if n_soft:
        notes.append(
            f"{n_soft} {PROBABILITY_SUFFIX} files hold probabilities and are not read as labels; cut them at 0.5 "
            "into dseg files"
        )
    if n_on_template:
        notes.append(f"{n_on_template} label files lie in the space of a template (space-...) and are left out")
    if n_elsewhere:
        notes.append(f"{n_elsewhere} images outside of {' and '.join(_DATA_TYPES)} are left out")
    return tuple(notes)
