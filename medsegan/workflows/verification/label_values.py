"""Findings on what labels hold: nothing, values nobody declared, values of one case alone, classes that lack."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...imaging import class_name_of
from .facts import CaseFacts, LabelFacts
from .finding import WHOLE_SET, Finding

_FEWEST_TO_COMPARE = 4
_USUAL = 0.75
_FEW = 6


@dataclass(frozen=True)
class KnownClasses:
    """What is said of the values of label files.

    Args:
        names: value -> name, of the data set.
        values: all that may occur, with 0; None where nothing is said.
        chosen: name -> value that the user passes with --classes; None = nothing passed.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    values: frozenset[int] | None = None
    chosen: Mapping[str, int] | None = None

    def shown(self, label: LabelFacts, value: int) -> str:
        """What a value of a file stands for: by the file's own name, that of the data set, or its number."""
        if value in label.names:
            return label.names[value]
        return f"{self.names[value]} ({value})" if value in self.names else str(value)


def count_classes(cases: Sequence[CaseFacts], known: KnownClasses) -> dict[str, int]:
    """Class -> number of cases that hold it, in the order of their values."""
    found: Counter[str] = Counter()
    order: dict[str, int] = {}
    for facts in cases:
        for value in facts.label.counts if facts.label is not None else ():
            assert facts.label is not None
            found[known.shown(facts.label, value)] += 1
            order.setdefault(known.shown(facts.label, value), value)
    return {name: found[name] for name in sorted(found, key=lambda name: (order[name], name))}


def check_label_values(cases: Sequence[CaseFacts], known: KnownClasses) -> Iterator[Finding]:
    """Findings on the values in the labels of all cases."""
    labeled = [facts for facts in cases if facts.label is not None]
    yield from _empty(labeled)
    yield from _undeclared(labeled, known)
    yield from _chosen(labeled, known)
    yield from _partly_named(labeled)
    yield from _rare(labeled, known)
    yield from _lacking(labeled, known)


def _label(facts: CaseFacts) -> LabelFacts:
    assert facts.label is not None
    return facts.label


def _empty(labeled: Sequence[CaseFacts]) -> Iterator[Finding]:
    for facts in labeled:
        if not _label(facts).counts:
            remedy = "draw them, or remove the file so that the scan counts as unlabelled"
            yield Finding("warning", facts.name, "empty labels", "0 labelled voxels", remedy)


def _undeclared(labeled: Sequence[CaseFacts], known: KnownClasses) -> Iterator[Finding]:
    if known.values is None:
        return
    for facts in labeled:
        label = _label(facts)
        strange = [value for value in label.counts if value not in known.values and value not in label.names]
        if strange:
            voxels = ", ".join(f"{value} ({label.counts[value]} voxels)" for value in strange[:_FEW])
            remedy = "correct the labels, or name the value in the list of labels"
            yield Finding("error", facts.name, "label values that the data set does not name", voxels, remedy)


def _chosen(labeled: Sequence[CaseFacts], known: KnownClasses) -> Iterator[Finding]:
    """Classes of --classes that are nowhere."""
    if known.chosen is None or not labeled:
        return
    values = {value for facts in labeled for value in _label(facts).counts if value not in _label(facts).names}
    names = {name for facts in labeled for name in _label(facts).names.values()}
    for name, value in known.chosen.items():
        if value not in values and class_name_of(name) not in names:
            found = ", ".join(map(str, sorted(values)[:12])) or "none"
            measured = f"{name}={value}; the values found are {found}"
            yield Finding("error", WHOLE_SET, "a class of --classes is in no file", measured, "correct --classes")


def _partly_named(labeled: Sequence[CaseFacts]) -> Iterator[Finding]:
    named = [facts for facts in labeled if _label(facts).names]
    plain = [facts for facts in labeled if _label(facts).counts and not _label(facts).names]
    if not named or not plain:
        return
    for facts in min(named, plain, key=len):
        measured = f"{len(named)} files name their classes, {len(plain)} hold values alone"
        remedy = "pass --classes NAME=VALUE,... with the names of the ones and the values of the others"
        yield Finding("error", facts.name, "some label files name their classes and some do not", measured, remedy)


def _rare(labeled: Sequence[CaseFacts], known: KnownClasses) -> Iterator[Finding]:
    """Values of a single case that nobody declared: a slip of the pen."""
    if known.values is not None or known.chosen is not None or len(labeled) < _FEWEST_TO_COMPARE:
        return
    counts = count_classes(labeled, known)
    for facts in labeled:
        label = _label(facts)
        alone = [value for value in label.counts if counts[known.shown(label, value)] == 1]
        if alone:
            voxels = ", ".join(
                f"{known.shown(label, value)} ({label.counts[value]} voxels)" for value in alone[:_FEW]
            )
            measured = f"{voxels}, in none of {len(labeled) - 1} others"
            yield Finding("warning", facts.name, "label values of this case alone", measured, "a slip? correct it")


def _lacking(labeled: Sequence[CaseFacts], known: KnownClasses) -> Iterator[Finding]:
    """Classes that nearly all cases have."""
    filled = [facts for facts in labeled if _label(facts).counts]
    if len(filled) < _FEWEST_TO_COMPARE:
        return
    counts = count_classes(filled, known)
    usual = [name for name, n in counts.items() if n >= _USUAL * len(filled)]
    for facts in filled:
        own = {known.shown(_label(facts), value) for value in _label(facts).counts}
        absent = [name for name in usual if name not in own]
        if absent:
            n_with = min(counts[name] for name in absent)
            measured = f"{', '.join(absent[:_FEW])}; {n_with} of {len(filled)} cases have it"
            remedy = "is it absent in the patient, or was it not drawn?"
            yield Finding("warning", facts.name, "a class is missing", measured, remedy)
