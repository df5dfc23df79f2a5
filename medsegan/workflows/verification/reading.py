"""Findings on what cannot be read, what its reader doubts, and labels that lie beside their scans."""

from collections.abc import Iterable, Iterator

from ...imaging import NO_LABELS_BETWEEN, OTHER_FRAME
from .facts import CaseFacts
from .finding import Finding

_DOUBTS = {
    "NaN or infinite": ("voxels that are no number", "fill them where the file was made"),
    "does not say how the patient lies": (
        "the header does not say how the patient lies",
        "convert it again from its source, with left and right",
    ),
    "qform": ("two places in one header", "check left and right in a viewer; write both forms equal"),
    "off a right angle": ("sheared voxels", "resample it to a straight grid"),
    "lengths in other units": ("lengths not in millimetres", "check the size of the voxels"),
    "lack RescaleSlope": ("CT slices without rescale values", "check that the values are Hounsfield units"),
    "gantry tilt": ("gantry tilt, straightened by resampling", "nothing, if labels were drawn after that"),
    "not evenly spaced": ("missing or uneven slices, interpolated", "use the complete series if there is one"),
    "exact copies of slices": ("slices twice in one series", "nothing; copies are dropped"),
    "burned into the pixels": ("text burned into the picture", "look whether it names the patient"),
    "raw values of the detector": ("raw picture of the detector", "use the picture for presentation"),
}
_BELONGING = {
    OTHER_FRAME: ("labels in another frame of reference", "look whether they lie on their organs"),
    NO_LABELS_BETWEEN: ("interpolated slices without labels", "draw them, or use the complete series"),
}
_LABEL_DOUBTS = ("left out", "off the slices", "nearer to each other", "without this label", "cut off there")


def check_reading(cases: Iterable[CaseFacts]) -> Iterator[Finding]:
    """Findings on single cases; each needs no other."""
    for facts in cases:
        if facts.scan_error is not None:
            yield Finding(
                "error", facts.name, "scan cannot be read", facts.scan_error, "replace or leave out the scan"
            )
        if facts.label_error is not None:
            what = "labels cannot be read"
            yield Finding("error", facts.name, what, facts.label_error, "replace or leave out the labels")
        if facts.place_error is not None:
            yield Finding(
                "error",
                facts.name,
                "labels do not lie on the scan",
                facts.place_error,
                "pair them correctly, or draw or export the labels again",
            )
        yield from _doubts_of_scan(facts)
        yield from _doubts_of_label(facts)


def _doubts_of_scan(facts: CaseFacts) -> Iterator[Finding]:
    if facts.scan is None:
        return
    for note in facts.scan.notes:
        for words, (what, remedy) in _DOUBTS.items():
            if words in note:
                yield Finding("warning", facts.name, what, note, remedy)
                break


def _doubts_of_label(facts: CaseFacts) -> Iterator[Finding]:
    if facts.label is None:
        return
    for note in facts.label.notes:
        if "resampled" in note and facts.label.is_close:
            what = "labels lie a little beside the scan"
            yield Finding("warning", facts.name, what, note, "nothing, if less than half a voxel does not matter")
        elif (known := next((words for words in _BELONGING if words in note), None)) is not None:
            yield Finding("warning", facts.name, _BELONGING[known][0], note, _BELONGING[known][1])
        elif any(words in note for words in _LABEL_DOUBTS):
            yield Finding("warning", facts.name, "parts of the labels are left out", note, "look at the labels")
