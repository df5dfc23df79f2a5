"""One thing that is wrong with a data set, and how its cases are called."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import MedseganError
from ...imaging import is_archive, is_dicom_file, is_dicom_label
from ..datasets.discovery import FoundCase

Severity = Literal["error", "warning"]
WHOLE_SET = "all"
"""What stands in place of a case where a finding is about the data set."""


@dataclass(frozen=True)
class Finding:
    """One row of the table.

    Args:
        severity: "error" for what cannot be prepared or makes results false, "warning" for what should be looked
            at.
        case: how the case is called, or "all".
        what: what is wrong, the same words for every case with it.
        measured: the value that was found.
        remedy: what to do.
    """

    severity: Severity
    case: str
    what: str
    measured: str
    remedy: str

    def to_json(self) -> dict[str, Any]:
        """The finding as plain values."""
        return dataclasses.asdict(self)


class CaseNames:
    """How cases and files are called in the table.

    By their own names; all by numbers where DICOM is among them, since then folders and files, labels too, may be
    named after people.

    Args:
        cases: all cases of the data set.
        show_all: whether DICOM is called by its own names too.
    """

    def __init__(self, cases: Sequence[FoundCase], *, show_all: bool = False) -> None:
        self._show_all = show_all
        self._of_image: dict[Path, str] = {}
        dicom = [case for case in cases if _is_dicom(case)]
        self.is_hidden = bool(dicom) and not show_all
        if self.is_hidden:
            others = [case for case in cases if not _is_dicom(case)]
            for kind, some in (("DICOM", dicom), ("scan", others)):
                self._of_image.update(
                    {case.image: f"{kind} {number}" for number, case in enumerate(some, start=1)}
                )

    def of_case(self, case: FoundCase) -> str:
        """The name of a case."""
        return self._of_image.get(case.image, case.stem)

    def of_files(self, files: Sequence[Path]) -> list[str]:
        """The names of files that belong to no case."""
        names = []
        n_hidden = 0
        for path in files:
            if self.is_hidden and not (path.is_dir() or is_dicom_file(path)):
                n_hidden += 1
                names.append(f"file {n_hidden}")
            elif not self._show_all and (path.is_dir() or is_dicom_file(path) or is_dicom_label(path)):
                n_hidden += 1
                names.append(f"DICOM file {n_hidden}")
            else:
                names.append(f"{path.parent.name}/{path.name}")
        return names

    def said(self, error: MedseganError, case: FoundCase) -> str:
        """The message of an error with the paths of a case by what they are, since the row names the case."""
        text = " ".join(str(error).split())
        known = [(case.image, "the scan")] + ([] if case.label is None else [(case.label, "the labels")])
        if not self._show_all:
            for place, what in known:
                # Files within a folder are named by the scanner, often after the patient.
                inside = sorted(place.rglob("*"), key=lambda path: -len(str(path))) if place.is_dir() else []
                for path in inside:
                    text = text.replace(str(path), f"a file of {what}")
        for place, what in sorted(known, key=lambda pair: -len(str(pair[0]))):
            text = text.replace(str(place), what)
            if is_archive(place) and not self._show_all:
                text = re.sub(rf"{what}/[^:]*|'[^']*'", f"a file of {what}", text)
        return text


def _is_dicom(case: FoundCase) -> bool:
    return case.is_dicom or is_dicom_file(case.image)
