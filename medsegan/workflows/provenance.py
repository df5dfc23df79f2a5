"""Where a file comes from: a sidecar beside every file that is written, without a word about the patient."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..atomic import atomic_file
from ..errors import InputError
from ..imaging import scan_stem

SCHEMA_VERSION = 1
SIDECAR_SUFFIX = ".medsegan.json"
_UID = re.compile(r"\d+(?:\.\d+){4,}")


@dataclass(frozen=True)
class Origin:
    """All that decides what a file holds: the same origin, the same content.

    Args:
        command: what wrote it: "segment", "convert" or "eval".
        input_hash: `content_hash` of what was read.
        settings: the options that matter, as plain values.
        model_hash: digest of the model; `None` without one.
        source_hash: `content_hash` of the scan that labels were laid on; `None` without one.
    """

    command: str
    input_hash: str
    settings: Mapping[str, Any]
    model_hash: str | None = None
    source_hash: str | None = None


@dataclass(frozen=True)
class Making:
    """What else is worth knowing of how a file was made.

    Args:
        seconds: it took.
        device: it was computed on; `None` where nothing is learned.
        seed: of the random choices; `None` where there are none.
        notes: what was chosen or repaired.
        labels: name -> value of the classes.
        private: paths that notes must not show.
    """

    seconds: float
    device: str | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    private: tuple[Path, ...] = ()


def sidecar_of(path: Path) -> Path:
    """The sidecar of a file: its name without the suffix of the format, and `.medsegan.json`.

    Its whole name and `.medsegan.json`, where that is there already: of what belongs to a mask, and of a neighbour
    of another format (mask.dcm beside mask.nii.gz).
    """
    whole = path.with_name(path.name + SIDECAR_SUFFIX)
    return whole if whole.exists() else path.with_name(scan_stem(path) + SIDECAR_SUFFIX)


def _new_sidecar_of(path: Path, role: str) -> Path:
    """Where to write it, so that every file keeps its own."""
    sidecar = sidecar_of(path)
    owner = _read(sidecar).get("output", {}).get("suffix", _suffix_of(path))
    is_taken = owner != _suffix_of(path) and path.with_name(scan_stem(path) + str(owner)).exists()
    is_main = role in ("mask", "scan")
    return sidecar if is_main and not is_taken else path.with_name(path.name + SIDECAR_SUFFIX)


def _suffix_of(path: Path) -> str:
    return path.name[len(scan_stem(path)) :]


def write_provenance(path: Path, origin: Origin, making: Making, role: str = "mask") -> None:
    """Write the sidecar of a file that is complete.

    Args:
        path: the file.
        origin: what decided on its content.
        making: what else there is to tell.
        role: what the file is: "mask", "scan", "probabilities", "residual" or "preview".

    Raises:
        InputError: the sidecar cannot be written.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "medsegan": __version__,
        "command": origin.command,
        "input": {"sha256": origin.input_hash},
        "source": None if origin.source_hash is None else {"sha256": origin.source_hash},
        "model": None if origin.model_hash is None else {"sha256": origin.model_hash},
        "settings": dict(origin.settings),
        "device": making.device,
        "seed": making.seed,
        "seconds": making.seconds,
        "notes": [_without_identity(note, making.private) for note in making.notes],
        "labels": dict(making.labels),
        "output": {"role": role, "suffix": _suffix_of(path), "sha256": _hash_of(path)},
    }
    sidecar = _new_sidecar_of(path, role)
    try:
        with atomic_file(sidecar) as partial:
            partial.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{sidecar}: cannot be written ({error.strerror or error})") from error


def find_difference(path: Path, origin: Origin) -> str | None:
    """Why a file is not what this origin would make, in words that follow its path; `None` if it is.

    Args:
        path: a file that is there.
        origin: what would be made now.
    """
    document = _document_of(path)
    if not document:
        return "has no sidecar, so that it may be incomplete or from elsewhere"
    stored = {
        "another input": (_sha256(document, "input"), origin.input_hash),
        "another model": (_sha256(document, "model"), origin.model_hash),
        "another source": (_sha256(document, "source"), origin.source_hash),
    }
    for what, (was, now) in stored.items():
        if was != now:
            return f"was made from {what}"
    was_set, now_set = document.get("settings", {}), json.loads(json.dumps(dict(origin.settings)))
    if was_set != now_set:
        changed = sorted(key for key in {*was_set, *now_set} if was_set.get(key) != now_set.get(key))
        shown = ", ".join(f"{key} {was_set.get(key)} and not {now_set.get(key)}" for key in changed)
        return f"was made with other settings ({shown})"
    if _sha256(document, "output") != _hash_of(path):
        return "was changed since it was made"
    return None


def algorithm_of(model_hash: str) -> str:
    """What DICOM labels call a model that made them: name and version."""
    return f"medsegan model {model_hash[:12]} {__version__}"


def algorithm_of_file(path: Path) -> str | None:
    """The model that made a mask, as `algorithm_of` calls it; `None` if not known or changed since."""
    document = _document_of(path) if path.is_file() else {}
    model_hash = _sha256(document, "model")
    if model_hash is None or _sha256(document, "output") != _hash_of(path):
        return None
    return algorithm_of(model_hash)


def series_setting(series: str | None) -> str | None:
    """How a chosen series is recorded: its number as it is, of a UID only a hash."""
    if series is None or series.isdigit():
        return series
    return f"sha256:{hashlib.sha256(series.encode()).hexdigest()[:16]}"


def _document_of(path: Path) -> dict[str, Any]:
    """What the sidecar of a file says of it; empty if there is none."""
    document = _read(sidecar_of(path))
    return document if document and document["output"].get("suffix") == _suffix_of(path) else {}


def _read(sidecar: Path) -> dict[str, Any]:
    """The document of a sidecar; empty if there is none or it is damaged."""
    try:
        document = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_ours = isinstance(document, dict) and document.get("schema_version") == SCHEMA_VERSION
    return document if is_ours and isinstance(document.get("output"), dict) else {}


def _sha256(document: Mapping[str, Any], part: str) -> str | None:
    found = document.get(part)
    return found.get("sha256") if isinstance(found, dict) else None


def _hash_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error


def _without_identity(note: str, private: Iterable[Path]) -> str:
    """A note without UIDs and without the paths and names of what was read."""
    for path in private:
        for text in (str(path.resolve()), str(path)):
            if len(text) > 2:
                note = re.sub(re.escape(text) + r"(?![\w])(?:/[^\s:,;]*)?", "(path)", note)
        for text in (path.name, scan_stem(path)):
            if len(text) > 2:
                note = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "(name)", note)
    return _UID.sub("(uid)", note)
