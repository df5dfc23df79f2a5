"""Which value in a domain's label files is which class of the workspace."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..shapes import Array, LabelArray
from .workspace_names import require_label_name, require_label_value

LARGEST_CLASS_COUNT = 254
MERGED_NOTE = "label values merged into background"
"""How notes on merged values begin."""


@dataclass(frozen=True)
class LabelMap:
    """The classes of a workspace and their values in the label files of one domain.

    Args:
        labels: name -> value in the masks that are written, in the order of the class index from 1.
        values: name -> value in the label files of this domain; a class that it does not annotate is absent.
        notes: how the map came about and what is merged into background.
    """

    labels: dict[str, int]
    values: dict[str, int]
    notes: tuple[str, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """All classes by index, "background" first."""
        return ("background", *self.labels)

    @property
    def class_values(self) -> tuple[int, ...]:
        """The value in this domain's label files by class index; negative where the class is not annotated.

        Each is another one, since a manifest wants one value of its own for every class.
        """
        return (0, *(self.values.get(name, -index) for index, name in enumerate(self.labels, start=1)))

    def apply(self, array: LabelArray) -> LabelArray:
        """(I, J, K) uint8 class indices; every value that is none of the classes becomes background."""
        indices = np.zeros(array.shape, dtype=np.uint8)
        for index, name in enumerate(self.labels, start=1):
            if name in self.values:
                indices[array == self.values[name]] = index
        return indices

    def merged(self, counts: Mapping[int, int]) -> dict[int, int]:
        """The values that become background although they are not 0, with their numbers of voxels."""
        chosen = {0, *self.values.values()}
        return {value: n for value, n in sorted(counts.items()) if value not in chosen}


def count_values(array: Array) -> dict[int, int]:
    """The values of a label volume with their numbers of voxels."""
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        counts = np.bincount(array.ravel())
        return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    values, numbers = np.unique(array, return_counts=True)
    return {int(value): int(n) for value, n in zip(values, numbers, strict=True)}


@dataclass(frozen=True)
class LabelSources:
    """All that can tell what the values of a domain's label files mean.

    Args:
        found: value -> number of voxels over all label files of the domain, with 0.
        chosen: name -> value that the user passes with --classes; None = nothing passed.
        known: the [labels] of the workspace.
        recorded: name -> value of this domain from an earlier preparation; empty if there was none.
        dataset_names: value -> name from a dataset.json or from the label files; None without names.
        is_first: whether no other domain of the workspace depends on [labels], so that they may change.
        names_from: where `dataset_names` stand, for notes.
    """

    found: Mapping[int, int]
    chosen: Mapping[str, int] | None
    known: Mapping[str, int]
    recorded: Mapping[str, int]
    dataset_names: Mapping[int, str] | None
    is_first: bool
    names_from: str = "dataset.json"


def propose_label_map(sources: LabelSources) -> LabelMap:
    """The label map of a domain, and in its notes where it comes from.

    The first domain of a workspace sets [labels]; every further one is mapped to them: by --classes, by what was
    recorded before, by the names of its dataset.json, or by equal values if it has exactly the same ones.

    Raises:
        DataError: a chosen class is unknown or occurs in no label file, values are ambiguous, or nothing tells
            what the values of a further domain mean.
    """
    present = sorted(value for value in sources.found if value != 0)
    if sources.chosen is not None:
        proposed = _chosen(sources)
    elif not present:
        # Scans without labels still belong to the classes of the workspace.
        proposed = LabelMap(dict(sources.known), dict(sources.recorded))
    elif sources.is_first:
        proposed = _proposed_for_first(sources, present)
    else:
        proposed = _mapped_to_known(sources, present)
    _require_possible(proposed, present)
    return LabelMap(proposed.labels, proposed.values, (*proposed.notes, *_merge_notes(proposed, sources.found)))


def _chosen(sources: LabelSources) -> LabelMap:
    chosen = dict(sources.chosen or {})
    if not chosen:
        raise DataError("--classes names no class; pass for example --classes liver=6,spleen=1")
    for name, value in chosen.items():
        require_label_name(name, "--classes")
        require_label_value(value, "--classes", name)
    if len(set(chosen.values())) < len(chosen):
        raise DataError(f"--classes gives one value to two names: {_listing(chosen)}; a voxel has one class")
    if sources.is_first:
        return LabelMap(_with_edited_values(chosen, sources), chosen)
    unknown = [name for name in chosen if name not in sources.known]
    if unknown:
        raise DataError(
            f"--classes names {', '.join(unknown)}, but the classes of this workspace are "
            f"{', '.join(sources.known)}; use these names with the values of this domain's label files"
        )
    absent = [name for name in sources.known if name not in chosen]
    notes = (f"not annotated in this domain: {', '.join(absent)}",) if absent else ()
    return LabelMap(dict(sources.known), chosen, notes)


def _with_edited_values(chosen: dict[str, int], sources: LabelSources) -> dict[str, int]:
    """The values of masks to write: those of the label files, unless [labels] was edited for a class."""
    edited = {
        name: value
        for name, value in sources.known.items()
        if name in chosen and name in sources.recorded and value != sources.recorded[name]
    }
    labels = {**chosen, **edited}
    return labels if len(set(labels.values())) == len(labels) else chosen


def _proposed_for_first(sources: LabelSources, present: list[int]) -> LabelMap:
    if sources.known:
        # Somebody wrote or edited [labels] before this preparation: that is what he wants.
        same_names = sources.recorded.keys() == sources.known.keys()
        values = dict(sources.recorded if same_names else sources.known)
        return LabelMap(dict(sources.known), values, (f"classes as in medsegan.toml: {_listing(values)}",))
    if sources.dataset_names:
        names = {name: value for value, name in sources.dataset_names.items()}
        absent = [name for name, value in names.items() if value not in present]
        labels = {name: value for name, value in names.items() if name not in absent}
        if labels:
            notes = [f"names of the classes from {sources.names_from}"]
            if absent:
                notes.append(f"in no label file and so left out: {', '.join(absent)}")
            return LabelMap(labels, labels, tuple(notes))
    labels = {f"label_{value}": value for value in present}
    example = ",".join(f"name{n}={value}" for n, value in enumerate(present[:2], start=1))
    note = (
        f"the label files do not name their values, so the classes are called {_few(list(labels))}; to name or "
        f"choose them, prepare again with --overwrite and --classes {example}, or edit the names in [labels] of "
        "medsegan.toml and prepare again with --overwrite"
    )
    return LabelMap(labels, labels, (note,))


def _mapped_to_known(sources: LabelSources, present: list[int]) -> LabelMap:
    known = dict(sources.known)
    if sources.recorded and set(sources.recorded) <= set(known):
        return LabelMap(known, dict(sources.recorded), ("values as medsegan.toml has them for this domain",))
    by_name = {name: value for value, name in (sources.dataset_names or {}).items() if name in known}
    if by_name.keys() == known.keys():
        note = f"classes mapped by the names in {sources.names_from}: {_listing(by_name)}"
        return LabelMap(known, by_name, (note,))
    if sources.dataset_names is None and set(present) == set(known.values()):
        note = (
            "the label files hold exactly the values of [labels] and are taken to mean the same: "
            f"{_listing(known)}; if they do not, prepare again with --overwrite and --classes"
        )
        return LabelMap(known, known, (note,))
    named = (
        f" ({sources.names_from}: {_listing({n: v for v, n in sources.dataset_names.items()})})"
        if sources.dataset_names
        else ""
    )
    example = ",".join(f"{name}=VALUE" for name in list(known)[:4]) + (",..." if len(known) > 4 else "")
    raise DataError(
        f"the label files hold the values {_few(present)}{named}, and nothing says which of them are the "
        f"workspace's classes {_listing(known)}; pass --classes {example} with the values of these files"
    )


def _require_possible(proposed: LabelMap, present: list[int]) -> None:
    missing = {name: value for name, value in proposed.values.items() if value not in present}
    if missing and present:
        raise DataError(
            f"{_listing(missing)}: no label file holds this value; the values found are {_few(present)}. "
            "Correct --classes, or the values in medsegan.toml"
        )
    if missing and proposed.values and not present:
        raise DataError(
            f"classes are chosen ({_listing(missing)}), but there is no label file with a labelled voxel"
        )
    if len(proposed.labels) > LARGEST_CLASS_COUNT:
        raise DataError(
            f"the label files hold {len(proposed.labels)} different values, {_few(present)}: that is no set of "
            f"labels or more than the {LARGEST_CLASS_COUNT} classes possible; choose some with --classes "
            f"NAME=VALUE,..."
        )


def _merge_notes(proposed: LabelMap, found: Mapping[int, int]) -> tuple[str, ...]:
    merged = proposed.merged(found)
    if not merged:
        return ()
    voxels = sum(merged.values())
    return (f"{MERGED_NOTE}: {_few(list(merged))} ({voxels:,} voxels)",)


def _listing(values: Mapping[str, int]) -> str:
    return _few(f"{name}={value}" for name, value in values.items())


def _few(values: Iterable[object], limit: int = 12) -> str:
    texts = [str(value) for value in values]
    return ", ".join(texts[:limit]) + (f", ... ({len(texts)} in all)" if len(texts) > limit else "")
