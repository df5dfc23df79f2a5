"""The text of `medsegan.toml`: read, brought up to date with what the user wrote kept, written in one piece."""

from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from ..atomic import atomic_file
from ..errors import DataError, InputError

WORKSPACE_FILE = "medsegan.toml"

_COMMENTS = {
    "labels": "name = value of each class in the masks that medsegan writes; the order is the class index",
    "preparation": "the same for every domain of this workspace",
}


def read_document(path: Path) -> tomlkit.TOMLDocument:
    """The parsed file, with comments and white space.

    Raises:
        InputError: the file cannot be read.
        DataError: it is not TOML; the message has line and column.
    """
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not valid TOML: {error}") from error


def updated_document(document: tomlkit.TOMLDocument, content: dict[str, Any]) -> tomlkit.TOMLDocument:
    """The document with `content` in it; tables and keys that `content` does not know stay.

    Args:
        document: an existing file, or an empty document for a new one; it is changed.
        content: "labels", "domains" and perhaps "preparation" as plain dictionaries. The names in [labels] and in
            [domains.X.values] are replaced as a whole, because their order and number mean something.
    """
    if not document.body:
        document.add(tomlkit.comment("A medsegan workspace. You may edit this file; comments stay."))
        document.add(tomlkit.nl())
    _replace(_table(document, "labels"), content["labels"])
    if "preparation" in content:
        _merge(_table(document, "preparation"), content["preparation"])
    for name, settings in content["domains"].items():
        if "domains" not in document:
            document["domains"] = tomlkit.table(is_super_table=True)
        domain = _table(document["domains"], name)
        _merge(domain, {key: value for key, value in settings.items() if key != "values"})
        _replace(_table(domain, "values"), settings["values"])
    return document


def write_document(document: tomlkit.TOMLDocument, path: Path) -> None:
    """Write the file under a temporary name and rename it, so that a crash leaves the old one whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_text(tomlkit.dumps(document), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _table(parent: Any, name: str) -> Any:
    if name not in parent:
        table: Table = tomlkit.table()
        if name in _COMMENTS:
            table.comment(_COMMENTS[name])
        parent[name] = table
    return parent[name]


def _merge(table: Any, values: dict[str, Any]) -> None:
    """Set what differs; an assignment keeps the comment behind the value."""
    for key, value in values.items():
        if key not in table or table[key] != value:
            table[key] = value


def _replace(table: Any, values: dict[str, Any]) -> None:
    """Make the keys of the table those of `values`, in their order; lines that agree already are not touched."""
    keys = [key for key in table if key in values]
    appended = [key for key in values if key not in keys]
    in_order = [*keys, *appended] == list(values)
    for key in list(table):
        if key not in values or not in_order:
            del table[key]
    _merge(table, values)
