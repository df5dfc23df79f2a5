"""Findings on the same content under two names, and on patients in two parts of the data set."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from .facts import CaseFacts
from .finding import Finding

_FEW = 4


def check_duplicates(cases: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Findings on scans and labels whose voxels are the same, whatever their headers say."""
    copies = _groups(cases, _scan_digests)
    for group in copies:
        yield _same_scan(group)
    twins = {frozenset(facts.name for facts in group) for group in copies}
    for group in _groups(cases, _label_digests):
        names = frozenset(facts.name for facts in group)
        patients = {facts.case.patient for facts in group}
        if len(patients) > 1 and not any(names <= twin for twin in twins):
            measured = f"the same as those of {_others(group)}"
            remedy = "one of the scans has the labels of another; find the right ones"
            yield Finding("warning", group[0].name, "the same labels for two scans", measured, remedy)


def check_splits(cases: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Findings on patients in two of the parts that the data set itself is divided into."""
    for facts in cases:
        if len(set(facts.case.given_splits)) > 1:
            measured = " and ".join(facts.case.given_splits)
            yield Finding("error", facts.name, "a case in two parts", measured, "leave it in one of them")
    by_patient: dict[str, list[CaseFacts]] = defaultdict(list)
    for facts in cases:
        by_patient[facts.case.patient].append(facts)
    for group in by_patient.values():
        parts = _parts(group)
        if len(group) > 1 and len(parts) > 1:
            measured = f"{', '.join(parts)}; also {_others(group)}"
            remedy = "move all scans of a patient into one part, or scores are too good"
            yield Finding("error", group[0].name, "a patient in two parts", measured, remedy)


def _same_scan(group: Sequence[CaseFacts]) -> Finding:
    n_patients = len({facts.case.patient for facts in group})
    parts = _parts(group)
    measured = f"the same voxels as {_others(group)}"
    if len(parts) > 1:
        measured += f", in {' and '.join(parts)}"
    digests = [facts.label.digests for facts in group if facts.label is not None]
    if any(not (digests[0] & other) for other in digests[1:]):
        measured += ", with other labels"
    is_error = n_patients > 1 or len(parts) > 1
    remedy = "leave one of them, or it is trained on under one name and tested under the other"
    return Finding("error" if is_error else "warning", group[0].name, "the same scan twice", measured, remedy)


def _scan_digests(facts: CaseFacts) -> frozenset[str]:
    """None of a constant image: they are all alike, and a finding of their own."""
    scan = facts.scan
    return frozenset() if scan is None or scan.intensities.low == scan.intensities.high else scan.digests


def _label_digests(facts: CaseFacts) -> frozenset[str]:
    return frozenset() if facts.label is None or not facts.label.counts else facts.label.digests


def _groups(
    cases: Sequence[CaseFacts], digests_of: Callable[[CaseFacts], frozenset[str]]
) -> list[tuple[CaseFacts, ...]]:
    """The cases that share a hash, two or more together, each group once."""
    by_digest: dict[str, list[CaseFacts]] = defaultdict(list)
    for facts in cases:
        for digest in sorted(digests_of(facts)):
            by_digest[digest].append(facts)
    found: dict[tuple[str, ...], tuple[CaseFacts, ...]] = {}
    for group in by_digest.values():
        if len(group) > 1:
            found.setdefault(tuple(facts.name for facts in group), tuple(group))
    keys = [set(key) for key in found]
    return [group for key, group in found.items() if not any(set(key) < other for other in keys)]


def _parts(group: Sequence[CaseFacts]) -> list[str]:
    return sorted({part for facts in group for part in facts.case.given_splits})


def _others(group: Sequence[CaseFacts]) -> str:
    names = [facts.name for facts in group[1:]]
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
