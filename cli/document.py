"""A result as one JSON document."""

import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any


def as_json(result: Any) -> str:
    """Strict JSON of a result: paths as text, numbers that are not finite as null.

    Args:
        result: made of mappings, sequences, text, numbers, paths and None, or something with a `to_json` method
            that returns such.
    """
    return json.dumps(_plain(result), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return _plain(value.to_json())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "item"):  # a scalar of numpy or torch, without importing either
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
