"""The JSON documents of a slice store."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DataError, InputError


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InputError: there is no such file, or it cannot be read.
        DataError: the file holds something else than a JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text file: {error}; prepare the domain again") from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is no valid JSON: {error}; prepare the domain again") from error
    if not isinstance(document, dict):
        raise DataError(f"{path} holds a JSON {type(document).__name__} instead of an object; prepare again")
    return document


def write_document(document: Mapping[str, Any], path: Path) -> None:
    """Write a JSON object, indented so that people can read it; numbers keep every bit."""
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
