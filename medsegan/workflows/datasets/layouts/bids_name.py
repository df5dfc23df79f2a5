"""The parts of a file name of BIDS: sub-01_ses-2_run-1_T1w."""

import re
from dataclasses import dataclass
from pathlib import Path

LABEL_SUFFIXES = frozenset(["dseg", "mask", "seg", "label", "lesion"])
"""Discrete segmentation and binary mask of BIDS derivatives; the others are common outside of the standard."""
PROBABILITY_SUFFIX = "probseg"
_NO_SCANS = LABEL_SUFFIXES | {PROBABILITY_SUFFIX, "defacemask"}
_ENTITY = re.compile(r"([A-Za-z]+)-([A-Za-z0-9]+)")
_OF_LABELS_ALONE = frozenset(["desc", "label", "space", "res", "den", "atlas", "seg", "hemi"])
_OWN_SPACES = frozenset(["orig", "native", "individual", "scanner", "subject"])


@dataclass(frozen=True)
class BidsName:
    """One image or label file.

    Args:
        path: the file.
        stem: its name without the suffixes of its format.
        entities: such as sub -> "01", in the order of the name.
        suffix: the last word, such as T1w or dseg.
        source: of a label the word for its image within the name (sub-01_T1w_seg); None without one.
    """

    path: Path
    stem: str
    entities: dict[str, str]
    suffix: str
    source: str | None

    @property
    def is_scan(self) -> bool:
        """Whether it is an image and no segmentation, mask or map of probabilities."""
        return self.suffix not in _NO_SCANS

    @property
    def is_label(self) -> bool:
        """Whether it holds labels."""
        return self.suffix in LABEL_SUFFIXES

    @property
    def is_in_own_space(self) -> bool:
        """Whether it lies on the image itself and not on a template."""
        space = self.entities.get("space", "orig").lower()
        return space in _OWN_SPACES or space in {"t1w", "t2w", (self.source or "").lower()}

    def belongs_to(self, image: "BidsName") -> bool:
        """Whether this label may have been drawn on that image: all that both say of it is the same."""
        if self.entities.get("sub") != image.entities.get("sub") or self.source not in {None, image.suffix}:
            return False
        own = {key: value for key, value in self.entities.items() if key not in _OF_LABELS_ALONE}
        space = self.entities.get("space", "").lower()
        if space in {"t1w", "t2w"} and space != image.suffix.lower():
            return False
        return all(image.entities.get(key) == value for key, value in own.items())


def read_bids_name(path: Path) -> BidsName | None:
    """The parts of a name; None if it is no NIfTI file of a subject of BIDS."""
    name = path.name
    for ending in (".nii.gz", ".nii"):
        if name.endswith(ending):
            stem = name.removesuffix(ending)
            break
    else:
        return None
    words = stem.split("_")
    if not words[0].startswith("sub-") or name.startswith("."):
        return None
    entities: dict[str, str] = {}
    plain: list[str] = []
    for word in words:
        match = _ENTITY.fullmatch(word)
        if match:
            entities[match[1]] = match[2]
        else:
            plain.append(word)
    if not plain:
        return None
    # `sub-01_T1w_seg-manual` names what it is in an entity, and its image in the last word.
    suffix = "seg" if words[-1].startswith(("seg-", "label-")) and path.parts.count("derivatives") else plain[-1]
    source = next((word for word in plain if word != suffix), None)
    return BidsName(path, stem, entities, suffix, source)
