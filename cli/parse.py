"""What people type for durations, classes and windows, turned into values."""

import re

from medsegan.errors import UsageError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds of a duration such as "45s", "30m", "2h" or "1h30m"; a bare number is refused as ambiguous.

    Raises:
        UsageError: the text is no duration, or it is zero.

    Example:
        >>> parse_duration("1h30m")
        5400.0
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smh])", text.strip().lower())
    if not parts or "".join(number + unit for number, unit in parts) != text.strip().lower():
        raise UsageError(f"--time-budget takes a duration such as 45s, 30m, 2h or 1h30m, got {text!r}")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds <= 0:
        raise UsageError(f"--time-budget must be longer than nothing, got {text!r}")
    return seconds


def parse_classes(text: str, option: str = "--classes") -> dict[str, int]:
    """Name -> value in the label files, in the order typed: "liver=6,spleen=1".

    Args:
        text: as typed.
        option: that it was typed for, for messages.

    Raises:
        UsageError: an item is not NAME=VALUE, a value is no positive whole number, or one comes twice.

    Example:
        >>> parse_classes("liver=6, spleen=1")
        {'liver': 6, 'spleen': 1}
    """
    classes: dict[str, int] = {}
    for item in text.split(","):
        match = re.fullmatch(r"\s*([^=\s][^=]*?)\s*=\s*(\d+)\s*", item)
        if match is None:
            raise UsageError(f"{option} takes NAME=VALUE items such as liver=6,spleen=1, got {item!r}")
        name, value = match[1], int(match[2])
        if value == 0:
            raise UsageError(f"{option} {name}=0: the value 0 is the background in every label file")
        if name in classes or value in classes.values():
            raise UsageError(f"{option} names {name if name in classes else value} twice: {text!r}")
        classes[name] = value
    return classes


def parse_window(text: str) -> tuple[float, float]:
    """Lowest and highest intensity of a window: "-125,275".

    Raises:
        UsageError: the text is not two numbers, the lower one first.

    Example:
        >>> parse_window("-125,275")
        (-125.0, 275.0)
    """
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--window takes two numbers such as -125,275, got {text!r}") from None
    if not low < high:
        raise UsageError(f"--window takes the lower number first, got {text!r}")
    return low, high
