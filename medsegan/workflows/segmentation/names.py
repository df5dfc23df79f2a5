"""What the scans that `segment` finds are called: an id in what is said, and in names of files nobody's name."""

import dataclasses
import hashlib
import re
from pathlib import Path

from ...imaging import read_patient_words
from ...slices import IdKey
from ..privacy.private_folder import PrivateFolder
from ..privacy.redaction import Redaction
from ..workspace import Workspace
from .options import Failure, SegmentedCase, SegmentOptions, SegmentResult

RENAMED = "the name of this scan tells who the patient is, so its files are called by an id"
LONGEST_NAME = 100
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f]')
"""What Windows forbids in names, besides the slash."""
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", flags=re.IGNORECASE)


class ScanNames:
    """Names for the scans of one segmentation.

    The way back from ids is written to `segment.json`, in the private folder of the workspace, or where there is
    no workspace in a folder beside the masks, called like theirs with `-private` at the end.

    Args:
        workspace: whose key makes the ids; None = the key lies beside the masks.
        options: of the segmentation.
    """

    def __init__(self, workspace: Workspace | None, options: SegmentOptions) -> None:
        beside = options.output.with_name(f"{options.output.name}-private")
        self._private = PrivateFolder(beside) if workspace is None else workspace.private
        self._key = self._private.read_key() or IdKey.fresh()
        self._used: dict[str, Path] = {}
        self.redaction = Redaction((options.source,), options.show_names)

    def case_id(self, source: Path) -> str:
        """The id of a scan: the same for the same place, as long as the key is the same."""
        return self._key.case_id(str(source.resolve()), "segment")

    def called(self, source: Path) -> Path:
        """What a scan is called in what is said: as the user named it, else its id; its path if all is shown."""
        if source in self.redaction.named or self.redaction.is_off:
            return source
        self._used[self.case_id(source)] = source
        return Path(self.case_id(source))

    def stem(self, source: Path, stem: str) -> str:
        """What files that come of a scan are called: its name, made safe, or its id if it names the patient.

        Args:
            source: the scan.
            stem: its name without suffix, folders divided by "/".
        """
        if self.is_telling(source, stem):
            self._used[self.case_id(source)] = source
            return self.case_id(source)
        return "/".join(safe_name(part) for part in stem.split("/"))

    def is_telling(self, source: Path, stem: str) -> bool:
        """Whether a name holds a name, number or date of birth of the patient, as the scan's own header says."""
        return any(word in stem.lower() for word in read_patient_words(source, only_identity=True))

    def without_names(self, result: SegmentResult) -> SegmentResult:
        """A result without names of scans that the user did not name, its ids written down."""
        cases = tuple(self._case(case) for case in result.cases)
        failures = tuple(self._failure(failure) for failure in result.failures)
        if self._used and not result.dry_run:
            self._private.keep_key(self._key)
            self._private.add_scans(self._used)
        return dataclasses.replace(result, cases=cases, failures=failures)

    def _case(self, case: SegmentedCase) -> SegmentedCase:
        return dataclasses.replace(case, source=self.called(case.source))

    def _failure(self, failure: Failure) -> Failure:
        case_id = self.case_id(failure.source)
        message = self.redaction.of_case(failure.message, case_id, failure.source)
        return Failure(self.called(failure.source), message.removeprefix(f"{case_id}: "))


def safe_name(name: str) -> str:
    """A name that every system takes for a file: itself, or changed, and then with four digits of a hash.

    >>> safe_name("case_07"), safe_name("T1: post/pre?"[:8])
    ('case_07', 'T1_ post-73cd')
    """
    safe = _FORBIDDEN.sub("_", name).rstrip(" .")
    if _DEVICES.fullmatch(safe):
        safe += "_"
    while len(safe.encode()) > LONGEST_NAME:
        safe = safe[:-1]
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode(errors='surrogateescape')).hexdigest()[:4]}"
