"""Who is trained on, who is watched, who is tested: drawn by seeds, always by patient."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from ..errors import UsageError

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")


def split_patients(
    patients: Sequence[str], seed: int, val_fraction: float, test_fraction: float
) -> dict[str, Split]:
    """The split of each patient.

    Patients are put into the order of a seeded hash; the test split is taken from its front, the validation split
    from its end. So the split depends neither on the order of the files nor on names of other patients, and where
    patients are added later only those at the two borders can change sides. From three patients on, every share
    that is not zero gets at least one patient; with fewer, training comes first, then test.

    Args:
        patients: one name per patient or per case, as `draw_name` gives them; repeated ones count once.
        seed: another seed gives another split.
        val_fraction: share of patients for validation, 0 to 1.
        test_fraction: share of patients for the test, 0 to 1; the two may add up to 1, which leaves no training.

    Raises:
        UsageError: a share is negative or the two are more than 1.
    """
    train_fraction = 1.0 - val_fraction - test_fraction
    if min(val_fraction, test_fraction) < 0 or train_fraction < -1e-9:
        raise UsageError(
            f"the shares of validation ({val_fraction}) and test ({test_fraction}) must not be negative "
            f"nor add up to more than 1"
        )
    ordered = sorted(set(patients), key=lambda patient: _draw(f"{seed}/split/{patient}"))
    n_train, n_test, n_val = _counts(len(ordered), (max(0.0, train_fraction), test_fraction, val_fraction))
    counts: tuple[tuple[Split, int], ...] = (("test", n_test), ("train", n_train), ("val", n_val))
    splits = [name for name, count in counts for _ in range(count)]
    return dict(zip(ordered, splits, strict=True))


def extend_split(
    known: Mapping[str, Split], patients: Sequence[str], seed: int, val_fraction: float, test_fraction: float
) -> dict[str, Split]:
    """The split of each patient, where some have one already and keep it.

    The others are put into the order of the same seeded hash and fill up what is lacking for the shares: first the
    test, then training, then validation, so that the result is that of `split_patients` where nobody is known.

    Args:
        known: split of each patient that has one; patients that are no more do not count.
        patients: one name per patient or per case, as `draw_name` gives them; repeated ones count once.
        seed, val_fraction, test_fraction: as for `split_patients`.

    Raises:
        UsageError: as for `split_patients`.
    """
    drawn = split_patients(patients, seed, val_fraction, test_fraction)
    wanted = Counter(drawn.values())
    kept = {patient: known[patient] for patient in drawn if patient in known}
    lacking = wanted - Counter(kept.values())
    new = [patient for patient in drawn if patient not in kept]
    # Where known patients take more than their share, the largest demand is cut first.
    while sum(lacking.values()) > len(new):
        largest = max(SPLITS, key=lambda name: lacking[name])
        lacking[largest] -= 1
    order: tuple[Split, ...] = ("test", "train", "val")
    places = [name for name in order for _ in range(lacking[name])]
    return {**kept, **dict(zip(new, places, strict=True))}


def draw_labeled(patient_ids: Sequence[str], n: int, seed: int) -> tuple[str, ...]:
    """`n` of the patients, so that a draw of 9 is a part of a draw of 20.

    Only their places in the order count, not their ids, so that equal data give equal draws under every key. With
    seed 0 it is the first `n`: patients that are added later change that draw only where they come into it.

    Args:
        patient_ids: the labelled patients of the training split, in the order of the store; repeated ones count
            once.
        n: how many of them keep their labels, at least 1.
        seed: another seed gives another draw.

    Raises:
        UsageError: `n` is not positive, or there are not as many labelled cases.
    """
    available = list(dict.fromkeys(patient_ids))
    if seed != 0:
        places = sorted(range(len(available)), key=lambda place: _draw(f"{seed}/labeled/{place}"))
        available = [available[place] for place in places]
    if n < 1:
        raise UsageError(f"at least one labelled case is needed, {n} were asked for")
    if n > len(available):
        raise UsageError(
            f"{n} labelled cases were asked for, but the training split has only {len(available)}; "
            f"ask for {len(available)} or fewer, or prepare more labelled scans"
        )
    return tuple(available[:n])


def _draw(text: str) -> tuple[bytes, str]:
    return hashlib.sha256(text.encode()).digest(), text


def _counts(n_patients: int, shares: tuple[float, ...]) -> list[int]:
    """Whole numbers that add up to all patients, near the shares, the first share before the others when few."""
    counts = [round(n_patients * share) for share in shares]
    counts = [max(count, 1) if share > 1e-9 else 0 for count, share in zip(counts, shares, strict=True)]
    while sum(counts) > n_patients:
        # Take from the largest; among equals from the last, which is validation.
        largest = max(range(len(counts)), key=lambda index: (counts[index], index))
        counts[largest] -= 1
    while sum(counts) < n_patients:
        lacking = max(range(len(counts)), key=lambda index: n_patients * shares[index] - counts[index])
        counts[lacking] += 1
    return counts
