"""Text files that are either whole or not there."""

from pathlib import Path

from ..atomic import atomic_file
from ..errors import InputError


def write_document(text: str, path: Path) -> None:
    """Nothing; afterwards the file holds the text, and at no time a part of it.

    Args:
        text: the whole content, written as UTF-8 with its line ends as they are.
        path: the file; its folder is made when it does not exist, an existing file is replaced.

    Raises:
        InputError: the folder cannot be made or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}; choose another folder") from error
