"""Findings on intensities: of no image, out of the range of a modality, or of another one than the others."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from ...imaging import Modality
from .facts import CaseFacts, ScanFacts
from .finding import WHOLE_SET, Finding

_CLIPPED_ABOVE_HU = -900.0
_CLIPPED_SHARE = 0.01
_PADDING_VALUES = 3
_STRANGE_SHARE = 1e-3
_HIGHEST_HU = 30719.0
"""Of the extended CT scale of 15 bits; metal reaches it."""
_EIGHT_BITS = 256
_MOST_LABELS = 16
_NEGATIVE_SHARE = 0.05
_FEWEST_PICTURES = 5
_ALIKE, _OPPOSITE = 0.3, -0.3


def usual_modality(cases: Sequence[CaseFacts], asked: Modality | None) -> Modality | None:
    """The modality of most scans, or the one the user names; None where no scan tells."""
    if asked is not None:
        return asked
    votes = Counter(facts.scan.modality for facts in cases if facts.scan is not None)
    votes.pop("unknown", None)
    return votes.most_common(1)[0][0] if votes else None


def check_intensities(cases: Sequence[CaseFacts], asked: Modality | None) -> Iterator[Finding]:
    """Findings on the intensities of all scans.

    Args:
        cases: of the data set.
        asked: what the user says that all scans are; None = found out.
    """
    usual = usual_modality(cases, asked)
    for facts in cases:
        if facts.scan is None:
            continue
        if facts.scan.intensities.low == facts.scan.intensities.high:
            measured = f"every voxel is {facts.scan.intensities.low:g}"
            yield Finding("error", facts.name, "a constant image", measured, "replace or leave out the scan")
        elif _looks_like_labels(facts.scan):
            measured = f"{facts.scan.intensities.n_values} different values, {facts.scan.intensities.span}"
            remedy = "is it a mask? name it like one, or leave it out"
            yield Finding("warning", facts.name, "a scan that looks like labels", measured, remedy)
        elif usual == "ct" and _is_ct_without_units(facts.scan, asked):
            yield _without_units(facts)
        elif facts.scan.modality != usual and asked is None:
            yield _of_another_kind(facts, usual)
        else:
            yield from _out_of_range(facts, usual)
    if usual is None and any(facts.scan is not None for facts in cases):
        remedy = "pass --modality ct, mr or xray"
        yield Finding("error", WHOLE_SET, "the scans do not tell what they are", "no modality found", remedy)
    yield from _inverted(cases)


def _looks_like_labels(scan: ScanFacts) -> bool:
    n_values = scan.intensities.n_values
    return n_values is not None and n_values <= _MOST_LABELS and scan.intensities.low == 0


def _is_ct_without_units(scan: ScanFacts, asked: Modality | None) -> bool:
    """No value below 0 in a CT; where nobody said that it is one, only if it looks like nothing else."""
    return scan.intensities.low >= 0 and (asked == "ct" or scan.modality == "ct" or _lacks_intercept(scan))


def _lacks_intercept(scan: ScanFacts) -> bool:
    return "intercept" in scan.reason


def _without_units(facts: CaseFacts) -> Finding:
    assert facts.scan is not None
    is_small = facts.scan.intensities.high <= _EIGHT_BITS - 1
    reason = "a window of 8 bits" if is_small else "slope and intercept were not applied"
    remedy = "convert it again from DICOM with its rescale values"
    measured = f"{facts.scan.intensities.span}: {reason}"
    return Finding("error", facts.name, "CT without Hounsfield units", measured, remedy)


def _of_another_kind(facts: CaseFacts, usual: Modality | None) -> Finding:
    assert facts.scan is not None
    if facts.scan.modality == "unknown":
        what, remedy = "it does not tell what it is", "check its values, or pass --modality"
    else:
        what = "another modality than the others"
        remedy = "prepare it as a domain of its own, or pass --modality if that is wrong"
    return Finding(
        "error", facts.name, what, f"{facts.scan.modality}: {facts.scan.reason}; most are {usual}", remedy
    )


def _out_of_range(facts: CaseFacts, usual: Modality | None) -> Iterator[Finding]:
    assert facts.scan is not None
    if usual == "ct":
        yield from _odd_ct(facts.name, facts.scan)
    elif usual == "mr":
        values = facts.scan.intensities
        if values.percentiles[0] < -_NEGATIVE_SHARE * abs(values.percentiles[1]):
            remedy = "is it normalised or a phase image? use the magnitude as the scanner wrote it"
            yield Finding("warning", facts.name, "MR with negative values", values.span, remedy)


def _odd_ct(name: str, scan: ScanFacts) -> Iterator[Finding]:
    values = scan.intensities
    if values.low > _CLIPPED_ABOVE_HU and values.at_low >= _CLIPPED_SHARE:
        measured = f"{values.span}, {values.at_low:.0%} of the voxels at the lowest"
        remedy = "fine for soft tissue; use the unclipped scan if air or bone matters"
        yield Finding("warning", name, "CT that was clipped to a window", measured, remedy)
    if values.n_values is not None and values.n_values <= _EIGHT_BITS < values.high - values.low:
        measured = f"{values.n_values} different values, {values.span}"
        yield Finding("warning", name, "CT that was stored in 8 bits", measured, "use the original scan")
    if values.n_below_air > _PADDING_VALUES and values.below_air > _STRANGE_SHARE:
        measured = f"{values.below_air:.1%} of the voxels below -1100, down to {values.low:g}"
        yield Finding("warning", name, "CT darker than air", measured, "check slope and intercept")
    if values.high > _HIGHEST_HU:
        remedy = "check slope and intercept"
        yield Finding("warning", name, "CT brighter than metal", f"up to {values.high:g}", remedy)


def _inverted(cases: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Pictures that are the negative of the others: bright where these are dark."""
    shown = [facts for facts in cases if facts.scan is not None and facts.scan.picture is not None]
    pictures = [_standardised(facts) for facts in shown]
    if len(shown) < _FEWEST_PICTURES:
        return
    total = np.sum(pictures, axis=0)
    likeness = []
    for own in pictures:
        rest = total - own
        norm = float(np.linalg.norm(own) * np.linalg.norm(rest))
        likeness.append(float(own @ rest) / norm if norm > 0 else 0.0)
    if np.median(likeness) < _ALIKE:
        return  # too different views to compare
    for facts, value in zip(shown, likeness, strict=True):
        if value < _OPPOSITE:
            measured = f"correlation {value:.2f} with the mean of the others"
            yield Finding(
                "warning", facts.name, "the picture looks inverted", measured, "invert it if bone is dark"
            )


def _standardised(facts: CaseFacts) -> np.ndarray:
    assert facts.scan is not None
    assert facts.scan.picture is not None
    values = facts.scan.picture.astype(np.float64).ravel()
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
