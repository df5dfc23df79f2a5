"""What the classes of a label file are called, however their names were typed."""

import re
from collections.abc import Collection, Iterable

from ..errors import DataError

_NOT_IN_NAMES = re.compile(r"[\s=,;/\\]+")
_BACKGROUND = "background"


def class_name_of(text: str) -> str:
    """The name of a class from the label of a segment, region or file: small letters, "_" for blanks.

    >>> class_name_of(" Left  Kidney "), class_name_of("Tumour, primary"), class_name_of("GTV=1")
    ('left_kidney', 'tumour_primary', 'gtv_1')
    """
    return _NOT_IN_NAMES.sub("_", text.strip()).strip("_").lower()


def name_classes(labels: Iterable[tuple[int, str]], where: str) -> dict[int, str]:
    """Number -> name of the class, without those that are called background.

    Args:
        labels: number and label as written of each segment or region.
        where: the file, for messages.

    Raises:
        DataError: two numbers are equal, or two labels that differ in case and blanks alone.
    """
    names: dict[int, str] = {}
    written: dict[str, str] = {}
    for number, label in labels:
        name = class_name_of(label) or f"label_{number}"
        if name == _BACKGROUND:
            continue
        if number in names:
            raise DataError(
                f"{where}: number {number} stands for {names[number]!r} and {name!r}; the file is damaged"
            )
        if name in written:
            raise DataError(
                f"{where}: {written[name]!r} and {label!r} would both be the class {name!r}; rename one of them"
            )
        names[number], written[name] = name, label
    return names


def chosen_names(names: dict[int, str], only: Collection[str] | None) -> dict[int, str]:
    """The classes to read.

    Args:
        names: number -> name of all classes of a file.
        only: names of the classes to read; `None` = all.
    """
    if only is None:
        return names
    wanted = {class_name_of(name) for name in only}
    return {number: name for number, name in names.items() if name in wanted}
