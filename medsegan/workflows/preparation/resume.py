"""What an earlier preparation has done already and this one need not do again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ... import __version__
from ...errors import DataError, InputError, UsageError
from ...progress import Progress
from ...slices import MANIFEST_VERSION, STORE_VERSION, IdKey, SliceStore, StoredCase, find_leftovers, read_case
from ..datasets.discovery import FoundCase
from ..processes.crew import CaseLostError, Crew
from .case import CaseSettings
from .case_work import compare_case
from .look import CaseLook, LabelReading, case_to_json


@dataclass(frozen=True)
class Earlier:
    """What there is of a domain from earlier preparations.

    Args:
        unchanged: image -> its case as it was written, of scans whose files and labels are still the same.
        n_removed: cases of the store that are not among the scans any more.
    """

    unchanged: Mapping[Path, StoredCase]
    n_removed: int = 0

    def looks(self, reading: LabelReading) -> dict[Path, CaseLook]:
        """What was seen in unchanged cases, where it was looked at in the same way."""
        return {
            image: CaseLook.from_json(stored.origin["look"])
            for image, stored in self.unchanged.items()
            if stored.origin.get("look") is not None and stored.origin.get("reading") == reading.to_json()
        }

    def done(self, cases: Sequence[FoundCase], settings: CaseSettings) -> dict[Path, StoredCase]:
        """The cases that were prepared just as they would be now."""
        return {
            case.image: self.unchanged[case.image]
            for case in cases
            if case.image in self.unchanged
            and self.unchanged[case.image].origin.get("settings") == settings_digest(case, settings)
        }


NOTHING_EARLIER = Earlier({})


def settings_digest(case: FoundCase, settings: CaseSettings) -> str:
    """A hash of all but the content of the files that decides what is written of a case."""
    label_map = settings.label_map
    document = {
        **{name: value for name, value in settings.to_json().items() if name not in {"key", "redaction"}},
        # In their order, which numbers the classes.
        "label_map": [list(label_map.labels.items()), sorted(label_map.values.items())],
        "ids": [settings.key.case_id(case.stem, settings.domain), settings.key.patient_id(case.patient)],
        "channel": case.channel,
        "versions": [__version__, STORE_VERSION, MANIFEST_VERSION],
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def find_earlier(
    store: Path,
    key: IdKey,
    ids: Mapping[Path, str],
    cases: Sequence[FoundCase],
    crew: Crew,
    progress: Progress,
) -> Earlier:
    """What there is of these scans, in the store and in what attempts that were cut short left beside it.

    Args:
        store: of the domain; it need not be there.
        key: of the ids.
        ids: image -> id of the case.
        cases: the scans that were found.
        crew: compares scans and files.
        progress: hears of each case.

    Raises:
        UsageError: the store holds other scans altogether.
    """
    if _has_other_key(store, key):
        progress.note("the ids in the store were made with another key, so all cases are prepared again")
        return NOTHING_EARLIER
    folders = [*find_leftovers(store, "partial"), store]
    there = {}
    for case in cases:
        found = (read_case(folder, ids[case.image]) for folder in folders)
        stored = next((one for one in found if one is not None), None)
        if stored is not None:
            there[case.image] = stored
    in_store = {path.stem for path in (store / "images").glob("*.npy")}
    removed = in_store - set(ids.values())
    if in_store and removed == in_store:
        raise UsageError(
            f"none of the {len(in_store)} cases of {store} is among these scans, so that nothing of it would be "
            "left; --overwrite replaces it, --domain NAME prepares these scans beside it"
        )
    return Earlier(_compared([case for case in cases if case.image in there], there, crew, progress), len(removed))


def _has_other_key(store: Path, key: IdKey) -> bool:
    """Whether there is a store whose ids were made with another key, so that no case can be found again."""
    try:
        return SliceStore.open(store).manifest.id_key != key.fingerprint
    except (InputError, DataError):
        return False


def _compared(
    cases: Sequence[FoundCase], there: Mapping[Path, StoredCase], crew: Crew, progress: Progress
) -> dict[Path, StoredCase]:
    if not cases:
        return {}
    documents = [
        {
            "case": case_to_json(case),
            "folder": str(there[case.image].folder),
            "case_id": there[case.image].record.case_id,
        }
        for case in cases
    ]
    unchanged = {}
    progress.start("compare with what is there", len(cases), "cases")
    for done, (number, answer) in enumerate(crew.run(compare_case, documents), start=1):
        image = cases[number].image
        if not isinstance(answer, CaseLostError) and answer["is_unchanged"]:
            unchanged[image] = there[image]
        progress.update(done)
    progress.finish()
    return unchanged
