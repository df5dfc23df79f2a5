"""Plain tables: the same text on a terminal, in a pipe and in a test."""

from collections.abc import Mapping, Sequence
from typing import Any


def format_table(header: Sequence[str], rows: Sequence[Sequence[Any]], n_text_columns: int | None = None) -> str:
    """The rows under their header in aligned columns, two spaces apart; numbers to the right.

    Args:
        header: one title a column.
        rows: text, numbers or None (shown as "-"), as many a row as the header has titles.
        n_text_columns: how many columns stand to the left; None = those that do not hold numbers.

    Example:
        >>> print(format_table(("class", "dice"), [("liver", 0.91234), ("spleen", None)]))
        class    dice
        ------  -----
        liver   0.912
        spleen      -
    """
    cells = [[format_cell(value) for value in row] for row in rows]
    columns = range(len(header))
    numeric = [
        i >= n_text_columns if n_text_columns is not None else _is_numeric([row[i] for row in rows])
        for i in columns
    ]
    widths = [max(len(header[i]), *(len(row[i]) for row in cells)) if cells else len(header[i]) for i in columns]
    lines = [list(header), ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def format_record(record: Mapping[str, Any]) -> str:
    """One line for each entry, names aligned; an entry that is itself a mapping becomes "outer.inner" lines."""
    flat = list(_flatten(record))
    width = max((len(name) for name, _ in flat), default=0)
    return "\n".join(f"{name.ljust(width)}  {format_cell(value)}".rstrip() for name, value in flat)


def format_cell(value: Any) -> str:
    """One value as a table shows it: None as "-", fractions to three digits, sequences joined by commas."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return ", ".join(format_cell(item) for item in value)
    return str(value)


def _is_numeric(values: Sequence[Any]) -> bool:
    numbers = [value for value in values if value is not None]
    return bool(numbers) and all(isinstance(value, int | float) for value in numbers)


def _flatten(record: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat.extend(_flatten(value, f"{prefix}{name}."))
        else:
            flat.append((f"{prefix}{name}", value))
    return flat
