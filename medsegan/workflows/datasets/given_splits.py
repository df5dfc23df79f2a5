"""The parts that a data set itself puts its cases into: by the names of folders, or by nnU-Net's list of folds."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import DataError, InputError
from .discovery import FoundCase

SPLITS_FINAL = "splits_final.json"
TRAIN, VALIDATION, TEST = "train", "val", "test"
_PART_OF_WORD = {
    **dict.fromkeys(("train", "training", "tr"), TRAIN),
    **dict.fromkeys(("val", "valid", "validation"), VALIDATION),
    **dict.fromkeys(("test", "testing", "ts"), TEST),
}


def split_of_name(name: str) -> str | None:
    """The part that the name of a folder or of a section of a list stands for; None for any other name.

    >>> split_of_name("Training"), split_of_name("val"), split_of_name("case_7")
    ('train', 'val', None)
    """
    return _PART_OF_WORD.get(name.lower())


def splits_of_key(key: str) -> tuple[str, ...]:
    """The part named by the folders of a key, outermost first; empty without one.

    >>> splits_of_key("test/images/a"), splits_of_key("imagesTs/a"), splits_of_key("images/a")
    (('test',), ('test',), ())

    Args:
        key: path of a scan below the searched folder, with "/" between its parts.
    """
    named = (split_of_name(part.removeprefix("images")) for part in key.split("/")[:-1])
    return tuple(part for part in named if part is not None)[:1]


def with_folds(cases: Sequence[FoundCase], path: Path) -> tuple[tuple[FoundCase, ...], tuple[str, ...]]:
    """The cases with the folds of nnU-Net's splits_final.json, and notes on what does not fit.

    With several folds a case belongs to the one that validates it: no other case of its patient may be trained on
    there. With one fold it is in "train" or "val".

    Args:
        cases: their stems are the names in the list.
        path: the file; cases keep what they have if it is not there.

    Raises:
        InputError: it cannot be read.
        DataError: it is no list of folds.
    """
    if not path.is_file():
        return tuple(cases), ()
    folds = _read_folds(path)
    parts: dict[str, list[str]] = {}
    for number, fold in enumerate(folds):
        for name in fold["val"]:
            parts.setdefault(name, []).append(VALIDATION if len(folds) == 1 else f"fold {number}")
        for name in fold["train"]:
            if len(folds) == 1:
                parts.setdefault(name, []).append(TRAIN)
            elif name in fold["val"]:
                parts.setdefault(name, []).append(f"the training of fold {number}")
    named = {name for fold in folds for part in fold.values() for name in part}
    stems = {case.stem for case in cases}
    notes = [f"{len(folds)} {'fold' if len(folds) == 1 else 'folds'} in {SPLITS_FINAL}"]
    if named - stems:
        notes.append(f"{SPLITS_FINAL} names {len(named - stems)} cases that are not there")
    if stems - named:
        notes.append(f"{SPLITS_FINAL} leaves out {len(stems - named)} cases")
    placed = (replace(case, given_splits=tuple(parts.get(case.stem, case.given_splits))) for case in cases)
    return tuple(placed), tuple(notes)


def _read_folds(path: Path) -> list[dict[str, list[str]]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(document, list) or not document or not all(_is_fold(fold) for fold in document):
        raise DataError(f'{path}: expected a list of folds, each {{"train": [case, ...], "val": [case, ...]}}')
    return [{part: fold[part] for part in ("train", "val")} for fold in document]


def _is_fold(fold: Any) -> bool:
    return isinstance(fold, dict) and all(
        isinstance(fold.get(part), list) and all(isinstance(name, str) for name in fold[part])
        for part in ("train", "val")
    )
