"""Calls of `medsegan convert` and what they leave."""

import json
from pathlib import Path
from typing import Any

from medsegan_cli import main


def convert(*arguments: object) -> int:
    """The exit code of one call."""
    return main.run(["convert", *map(str, arguments)])


def sidecar(path: Path) -> dict[str, Any]:
    """The document beside a file."""
    return json.loads(path.read_text(encoding="utf-8"))
