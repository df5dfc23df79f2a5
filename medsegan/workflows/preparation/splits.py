"""Which patients are trained on, watched and tested: drawn, and kept where they were drawn before."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import DataError, InputError
from ...slices import IdKey, SliceStore, Split, draw_name, extend_split
from ..datasets.discovery import FoundCase
from ..workspace import DomainSettings
from .split_settings import SplitSettings


def draw_splits(
    cases: Sequence[FoundCase], split: SplitSettings, key: IdKey, before: Mapping[str, Split]
) -> dict[str, Split]:
    """Patient id -> split. Labelled patients are split; one of whom nothing is labelled can only help to train.

    Args:
        cases: all that were found.
        split: shares and seed.
        key: of the ids.
        before: patient id -> split of those that have one and keep it.
    """
    ids = {draw_name(case.patient): key.patient_id(case.patient) for case in cases}
    known = {name: before[patient] for name, patient in ids.items() if patient in before}
    labeled = [draw_name(case.patient) for case in cases if case.label is not None]
    drawn = extend_split(known, labeled, split.seed, split.val_fraction, split.test_fraction)
    unlabeled: dict[str, Split] = {name: known.get(name, "train") for name in ids}
    return {ids[name]: where for name, where in {**unlabeled, **drawn}.items()}


def splits_before(store: Path, recorded: DomainSettings, split: SplitSettings, key: IdKey) -> Mapping[str, Split]:
    """The splits that patients have in a store already, unless others are asked for now.

    Args:
        store: of the domain; it need not be there.
        recorded: the shares and the seed that they were drawn with.
        split: those that are asked for now.
        key: of the ids.
    """
    try:
        known = SliceStore.open(store)
    except (InputError, DataError):
        return {}
    drawn_with = (recorded.test_fraction, recorded.val_fraction, recorded.seed)
    asked = (split.test_fraction, split.val_fraction, split.seed)
    is_same = all(old is None or old == new for old, new in zip(drawn_with, asked, strict=True))
    return (
        known.splits if is_same and known.seed == split.seed and known.manifest.id_key == key.fingerprint else {}
    )
