"""The names of classes that BIDS gives in tables: *_dseg.tsv with the columns index and name."""

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

from ....errors import DataError, InputError
from ..dataset_json import plain_class_name
from .bids_name import read_bids_name

_BACKGROUND = frozenset(["background", "unknown", "bg"])


def read_class_names(labels: Collection[Path], roots: Sequence[Path]) -> tuple[dict[int, str], tuple[str, ...]]:
    """Value -> name of the classes of these label files, and notes; empty where no table names them.

    A table belongs to the files beside it and, by the inheritance of BIDS, to those below its folder. The one mask
    that all files are (`label-liver_mask`, `desc-lesion_mask`) names class 1 itself.

    Args:
        labels: the label files.
        roots: folders up to which tables are looked for.

    Raises:
        InputError, DataError: a table cannot be read or lacks a column.
    """
    tables = {path for label in labels for path in _tables_of(label, roots)}
    found = [_read_table(path) for path in sorted(tables)]
    merged: dict[int, str] = {}
    for names in found:
        for value, name in names.items():
            if merged.setdefault(value, name) != name:
                return {}, ("the tables of label names (dseg.tsv) contradict each other and are not used",)
    if len(set(merged.values())) < len(merged):
        return {}, ("the table of label names (dseg.tsv) gives one name to several values and is not used",)
    if merged:
        return dict(sorted(merged.items())), ()
    masks = {_name_of_mask(label) for label in labels}
    only = next(iter(masks)) if len(masks) == 1 else None
    return ({1: only}, ()) if only is not None else ({}, ())


def _tables_of(label: Path, roots: Sequence[Path]) -> list[Path]:
    """The nearest tables: of the file itself, else of its folders upwards."""
    stem = label.name.removesuffix(".gz").removesuffix(".nii")
    own = label.with_name(f"{stem}.tsv")
    if own.is_file():
        return [own]
    for folder in label.parents:
        tables = [path for path in sorted(folder.glob("*dseg.tsv")) if not path.name.startswith((".", "sub-"))]
        if tables:
            return tables if len(tables) == 1 else [path for path in tables if _fits(path, label)]
        if folder in roots:
            break
    return []


def _fits(table: Path, label: Path) -> bool:
    """Whether all that the name of a table says (desc-aseg, atlas-x) is in the name of the label file too."""
    words = table.name.removesuffix(".tsv").split("_")[:-1]
    return set(words) <= set(label.name.split("_"))


def _read_table(path: Path) -> dict[int, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if not rows or "index" not in rows[0] or "name" not in rows[0]:
        raise DataError(
            f"{path}: expected columns index and name, found {', '.join(rows[0]) if rows else 'no row'}"
        )
    names: dict[int, str] = {}
    for row in rows:
        index, name = (row["index"] or "").strip(), (row["name"] or "").strip()
        if not index.lstrip("-").isdigit():
            raise DataError(f"{path}: the index of a label must be a whole number, found {index!r}")
        if int(index) > 0 and name.lower() not in _BACKGROUND:
            names[int(index)] = plain_class_name(name, int(index))
    return names


def _name_of_mask(label: Path) -> str | None:
    name = read_bids_name(label)
    if name is None or name.suffix != "mask":
        return None
    return name.entities.get("label") or name.entities.get("desc")
