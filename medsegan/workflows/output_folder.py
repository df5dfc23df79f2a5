"""The folder that a file is to be written to."""

from pathlib import Path

from ..errors import InputError


def make_folder_of(path: Path) -> None:
    """Make the folder of a file that will be written, with all folders above it.

    Args:
        path: of the file.

    Raises:
        InputError: the folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: its folder {path.parent} cannot be made ({error.strerror or error}); write to another place"
        ) from error
