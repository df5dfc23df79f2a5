"""What labels and domains of a workspace may be called, and which values labels may have."""

import re
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError

LARGEST_VALUE = 65535
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def require_domain_name(name: str) -> str:
    """The name itself, if it can be the name of a domain: it becomes a folder.

    Raises:
        UsageError: the name holds other characters than small letters, digits, "-" and "_".
    """
    if not _DOMAIN.fullmatch(name):
        raise UsageError(
            f'a domain is named with small letters, digits, "-" and "_", such as mri-t2; got {name!r}'
        )
    return name


def require_label_name(name: str, where: Path | str) -> str:
    """The name itself, if it can be the name of a class.

    Args:
        name: what the user or a data set calls the class.
        where: the file or option that it comes from, for the message.

    Raises:
        DataError: the name is empty, "background", or holds "=", "," or white space at an end.
    """
    if not name or name != name.strip() or any(mark in name for mark in "=,\n\t") or name.lower() == "background":
        raise DataError(
            f'{where}: {name!r} cannot name a label; it must not be empty or "background" nor hold "=" or ","'
        )
    return name


def require_label_value(value: Any, where: Path | str, field: str) -> int:
    """The value itself, if it can stand for a class in a label file; 0 is always background.

    Raises:
        DataError: it is no whole number from 1 to 65535.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_VALUE:
        raise DataError(f"{where}: {field} must be a whole number from 1 to {LARGEST_VALUE}, found {value!r}")
    return value
