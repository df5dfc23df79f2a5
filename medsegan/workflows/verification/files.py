"""Findings on files: labels without a scan, scans that a list does not name, names in a list without a file."""

import difflib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..datasets.discovery import Discovery
from .finding import WHOLE_SET, CaseNames, Finding

_NEAR = 0.8


def check_files(found: Discovery, names: CaseNames) -> Iterator[Finding]:
    """Findings on what belongs to no case, and on cases of which a file is not there.

    Args:
        found: the cases and what was left over.
        names: how cases are called.
    """
    for listed in found.missing:
        remedy = "bring the file back, or take it out of the list"
        name, measured = ("all", "1 file") if names.is_hidden else (Path(listed).name, listed)
        yield Finding("error", name, "a listed file is not there", measured, remedy)
    open_cases = {case.stem: case for case in found.cases if case.label is None}
    for path, name in zip(found.orphans, names.of_files(found.orphans), strict=True):
        remedy = "rename it like its scan, or remove it"
        near = difflib.get_close_matches(path.name.split(".")[0], open_cases, 1, _NEAR)
        if near:
            remedy = f"does it belong to {names.of_case(open_cases[near[0]])}, which has no labels? then rename it"
        yield Finding("warning", name, "labels of no scan", "no scan goes by this name", remedy)
    for _, name in zip(found.unlisted, names.of_files(found.unlisted), strict=True):
        remedy = "add it to the list if it should be used"
        yield Finding("warning", name, "a scan that the list does not name", "not in the list", remedy)
    yield from _pictures(found, names)
    if found.cases and len(open_cases) < len(found.cases):
        yield from _few_without_labels(found, names)


def _pictures(found: Discovery, names: CaseNames) -> Iterator[Finding]:
    """Pictures by the case that they lie beside: of DICOM series they may be the labels."""
    counts: Counter[str] = Counter()
    for folder, n in Counter(path.parent for path in found.pictures).items():
        counts[_case_beside(folder, found, names)] += n
    for name, n in counts.items():
        remedy = "if they are labels of its slices, make a volume of them, such as NIfTI; previews may stay"
        measured = f"{n} PNG or TIFF files, in none of which a place is said"
        yield Finding("warning", name, "pictures beside the scan are left out", measured, remedy)


def _case_beside(folder: Path, found: Discovery, names: CaseNames) -> str:
    """The case that lies next to a folder; all of them where several do."""
    for place in (folder, *folder.parents):
        near = [case for case in found.cases if case.image.is_relative_to(place)]
        if near:
            return names.of_case(near[0]) if len(near) == 1 else WHOLE_SET
    return WHOLE_SET


def _few_without_labels(found: Discovery, names: CaseNames) -> Iterator[Finding]:
    """Scans without labels where nearly all have some; where many have none they are there on purpose."""
    open_cases = [case for case in found.cases if case.label is None]
    if not 0 < len(open_cases) * 10 <= len(found.cases):
        return
    shown = ", ".join(names.of_case(case) for case in open_cases[:4])
    measured = f"{len(open_cases)} of {len(found.cases)}: {shown}"
    yield Finding(
        "warning", WHOLE_SET, "a few scans have no labels", measured, "on purpose? they count as unlabelled"
    )
