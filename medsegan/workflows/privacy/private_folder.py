"""The way back from ids to scans, in a folder of its own that no training needs and nobody should pass on."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...atomic import atomic_file
from ...errors import DataError, InputError
from ...slices import IdKey

_VERSION = 1
_KEY, _SCANS = "key.json", "segment.json"
_OWNER_ONLY_FOLDER, _OWNER_ONLY_FILE = 0o700, 0o600


@dataclass(frozen=True)
class CaseSource:
    """Where a case came from, and how it was read.

    Args:
        image: its scan.
        label: its labels; None without.
        patient: what its patient was told by.
        series: the series that was asked for; None = the only one, or no DICOM.
        fix_gaps: whether gaps between slices were filled.
        resample_labels: whether labels on another grid were resampled.
        channel: which volume of a file with several it is; None = the only one.
    """

    image: Path
    label: Path | None
    patient: str
    series: str | None = None
    fix_gaps: bool = False
    resample_labels: bool = False
    channel: int | None = None


@dataclass(frozen=True)
class PrivateFolder:
    """A folder that only its owner can read and that git does not see.

    It holds the key of the ids, and which id stands for which scan: `domains/<domain>.json` of what was prepared,
    `segment.json` of what was segmented.

    Args:
        path: of the folder; it need not be there yet.
    """

    path: Path

    def read_key(self) -> IdKey | None:
        """The key of the ids; None if there is none yet.

        Raises:
            InputError, DataError: it cannot be read, or is damaged.
        """
        path = self.path / _KEY
        if not path.is_file():
            return None
        try:
            return IdKey(bytes.fromhex(_read(path)["secret"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{path} holds no key ({type(error).__name__}); put a copy back, or remove it and prepare again"
            ) from error

    def keep_key(self, key: IdKey) -> None:
        """Write the key if there is none yet.

        Raises:
            InputError: the folder cannot be written.
            DataError: another key is there by now.
        """
        known = self.read_key()
        if known is None:
            self._make()
            self._write(_KEY, {"secret": key.secret.hex()})
        elif known != key:
            raise DataError(f"{self.path / _KEY} was made by another command just now; run this one again")

    def remove_key(self) -> None:
        """Remove the key that was made for something that came to nothing, and the folder if it holds no more."""
        (self.path / _KEY).unlink(missing_ok=True)
        with suppress(OSError):  # one that holds something stays
            (self.path / "domains").rmdir()
            (self.path / ".gitignore").unlink()
            self.path.rmdir()

    def read_domain(self, domain: str) -> dict[str, CaseSource]:
        """Case id -> where it came from, of a prepared domain.

        Raises:
            InputError: the file is not here, as where only the slices were copied to.
            DataError: it is damaged.
        """
        path = self._domain_file(domain)
        if not path.is_file():
            raise InputError(
                f"{path} is not here, which says where the scans of {domain} lie; copy the folder "
                f"{self.path.name} from the workspace that {domain} was prepared in, or prepare it again"
            )
        try:
            return {case_id: _as_source(entry) for case_id, entry in _read(path)["cases"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path} is damaged ({type(error).__name__}); prepare {domain} again") from error

    def write_domain(self, domain: str, sources: Mapping[str, CaseSource]) -> None:
        """Write where each case came from.

        Raises:
            InputError: the folder cannot be written.
        """
        self._make()
        entries = {case_id: _as_plain(source) for case_id, source in sources.items()}
        self._write(f"domains/{domain}.json", {"cases": entries})

    def add_to_domain(self, domain: str, sources: Mapping[str, CaseSource]) -> None:
        """Write where more cases came from, and leave those that are known.

        Raises:
            InputError: the folder cannot be written.
        """
        known: dict[str, CaseSource] = {}
        with suppress(InputError, DataError):  # of none that can be read, nothing is lost
            known = self.read_domain(domain)
        self.write_domain(domain, {**known, **sources})

    def add_scans(self, scans: Mapping[str, Path]) -> None:
        """Write which scans the ids of `segment` stand for, and leave those that are known.

        Raises:
            InputError: the folder cannot be written.
        """
        self._make()
        known: dict[str, str] = {}
        with suppress(InputError, DataError):  # of none that can be read, nothing is lost
            known = _read(self.path / _SCANS)["scans"]
        added = {case_id: str(path.resolve()) for case_id, path in scans.items()}
        self._write(_SCANS, {"scans": {**known, **added}})

    def _domain_file(self, domain: str) -> Path:
        return self.path / "domains" / f"{domain}.json"

    def _make(self) -> None:
        try:
            self.path.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
            (self.path / "domains").mkdir(mode=_OWNER_ONLY_FOLDER, exist_ok=True)
            (self.path / ".gitignore").write_text("*\n")
        except OSError as error:
            raise InputError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        path = self.path / name
        text = json.dumps({"version": _VERSION, **content}, indent=1, ensure_ascii=False) + "\n"
        try:
            with atomic_file(path) as partial:
                partial.unlink(missing_ok=True)
                handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY_FILE)
                with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(text)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{path} is no valid JSON; put a copy back, or remove it and prepare again") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise DataError(f"{path} is not of version {_VERSION}, which this medsegan reads; prepare again")
    return document


def _as_plain(source: CaseSource) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(source).items()}


def _as_source(entry: Mapping[str, Any]) -> CaseSource:
    label = entry["label"]
    return CaseSource(
        image=Path(entry["image"]),
        label=None if label is None else Path(label),
        patient=str(entry["patient"]),
        series=entry["series"],
        fix_gaps=bool(entry["fix_gaps"]),
        resample_labels=bool(entry["resample_labels"]),
        channel=entry.get("channel"),
    )
