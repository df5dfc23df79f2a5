"""A MONAI datalist: JSON with lists of cases under "training", "validation" and "testing"."""

import dataclasses
import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....errors import DataError, UsageError
from ..dataset_json import ListedCase, read_json, read_label_names
from ..discovery import Discovery, FoundCase
from ..given_splits import TEST, TRAIN, split_of_name
from .listed_files import FileList, find_listed, note_on_tests, notes_on_missing

_CASE_KEYS = ("image", "label", "fold")
_NEAR = 0.8
_LARGEST_LIST = 64 * 2**20


@dataclass(frozen=True)
class _Section:
    part: str
    cases: tuple[ListedCase, ...]
    folds: tuple[str | None, ...]


def find_datalist(folder: Path, contrast: str | None) -> Discovery | None:
    """The data set of the one datalist that lies in a folder; None where there is none.

    Raises:
        DataError: there are several.
        InputError, UsageError: as `read_datalist`.
    """
    lists = [
        path
        for path in sorted(folder.glob("*.json"))
        if not path.name.startswith(".") and path.stat().st_size <= _LARGEST_LIST and _holds_cases(path)
    ]
    if not lists:
        return None
    if len(lists) > 1:
        raise DataError(
            f"{folder} holds {len(lists)} lists of cases, {', '.join(path.name for path in lists[:5])}; name the "
            "one to use"
        )
    return read_datalist(lists[0], folder, contrast)


def read_datalist(path: Path, base: Path, contrast: str | None = None) -> Discovery:
    """The cases of a datalist; those for testing are set apart.

    Args:
        path: of the list.
        base: what its paths are relative to.
        contrast: number of the image to read of cases with a list of images; None = the first.

    Raises:
        InputError: it cannot be read, or none of its images is there.
        DataError: it is no datalist.
        UsageError: there is no such image.
    """
    document = read_json(path)
    if not _is_datalist(document):
        raise DataError(
            f'{path}: expected a list of cases such as {{"training": [{{"image": ..., "label": ...}}]}}, or a '
            "dataset.json"
        )
    sections = list(_sections(document, path))
    names, values, name_notes = read_label_names(document.get("labels", {}), path)
    used = [section for section in sections if section.part != TEST] or sections
    listed = tuple(case for section in used for case in section.cases)
    if contrast is not None and all(len(case.images) == 1 for case in listed):
        raise UsageError(f"--contrast {contrast} chooses one of several images of a case, but here each has one")
    where = FileList(path, base, may_leave=True, contrast=contrast)
    found = find_listed(listed, where)
    parts = [part for section in used for part in _parts(section)]
    cases = tuple(
        dataclasses.replace(case, given_splits=(parts[position],))
        for case, position in zip(found.cases, found.positions, strict=True)
    )
    tests = [case for section in sections if section not in used for case in section.cases]
    notes = [*name_notes, *found.notes, *_near_misses(document), *notes_on_missing(found, listed, path.name)]
    if tests:
        notes.append(f"{len(tests)} cases of {path.name} are for testing and are left out")
        notes += note_on_tests([case.images[0] for case in tests], where)
    return Discovery(
        layout="MONAI datalist, " + ", ".join(f"{len(s.cases)} {s.part}" for s in sections),
        cases=tuple(sorted(cases, key=lambda case: case.stem)),
        class_names=names or None,
        names_from="the list of cases",
        notes=tuple(notes),
        label_values=values or None,
        test_cases=_test_cases(tests, where, {case.image for case in cases}),
        missing=found.missing,
    )


def _test_cases(tests: list[ListedCase], where: FileList, taken: set[Path]) -> tuple[FoundCase, ...]:
    there = [case for case in tests if all((where.base / image).exists() for image in case.images)]
    if not there:
        return ()
    found = find_listed(there, where)
    return tuple(
        dataclasses.replace(
            case, stem=f"{case.stem} (test)" if case.image in taken else case.stem, given_splits=(TEST,)
        )
        for case in found.cases
    )


def _parts(section: _Section) -> Iterator[str]:
    for fold in section.folds:
        yield section.part if fold is None or section.part != TRAIN else f"fold {fold}"


def _holds_cases(path: Path) -> bool:
    try:
        return _is_datalist(read_json(path))
    except DataError:
        return False  # some other file, which may hold anything


def _is_datalist(document: Any) -> bool:
    """Whether there is a known list of objects that have something like an image."""
    if not isinstance(document, dict):
        return False
    lists = [cases for key, cases in document.items() if split_of_name(str(key)) is not None]
    firsts = [cases[0] for cases in lists if isinstance(cases, list) and cases]
    return any(isinstance(first, dict) and any(_meant(name) == "image" for name in first) for first in firsts)


def _sections(document: dict[str, Any], path: Path) -> Iterator[_Section]:
    for key, listed in document.items():
        part = split_of_name(str(key))
        if part is None or not isinstance(listed, list) or not listed:
            continue
        cases = [_read_case(case, part, path) for case in listed]
        folds = [_fold_of(case) for case in listed]
        yield _Section(part, tuple(cases), tuple(folds))


def _fold_of(case: Any) -> str | None:
    fold = case.get("fold") if isinstance(case, dict) else None
    return None if fold is None else str(fold)


def _read_case(case: Any, part: str, path: Path) -> ListedCase:
    if isinstance(case, str) and part == TEST:  # as the Decathlon lists its test images
        return ListedCase(None, (case,), None)
    image = case.get("image") if isinstance(case, dict) else None
    images = [image] if isinstance(image, str) else image
    if not isinstance(images, list) or not images or not all(isinstance(one, str) for one in images):
        shown = f"the keys {', '.join(map(repr, case))}" if isinstance(case, dict) else repr(case)
        raise DataError(f'{path}: each case needs an "image", a path or a list of paths, found {shown}')
    label = case.get("label")
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    return ListedCase(None, tuple(images), label if isinstance(label, str) else None)


def _near_misses(document: dict[str, Any]) -> Iterator[str]:
    """Keys that are almost those that count, such as "fold:" or "lable"."""
    counts: Counter[str] = Counter()
    for key, listed in document.items():
        if split_of_name(str(key)) is not None and isinstance(listed, list):
            counts.update(str(name) for case in listed if isinstance(case, dict) for name in case)
        elif isinstance(listed, list) and difflib.get_close_matches(
            str(key).lower(), ("training", "validation", "testing"), 1, _NEAR
        ):
            yield f"the list {key!r} is not read; is it misspelt?"
    for name, count in counts.items():
        meant = _meant(name)
        if meant is not None and name not in _CASE_KEYS:
            yield f"{count} cases have the key {name!r}, which is not read; is {meant!r} meant?"


def _meant(name: str) -> str | None:
    """The key that a name is or almost is."""
    letters = "".join(letter for letter in name.lower() if letter.isalpha())
    return next(iter(difflib.get_close_matches(letters, _CASE_KEYS, 1, _NEAR)), None)
