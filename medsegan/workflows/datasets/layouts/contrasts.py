"""Several images of a case under one label, told apart by the last word of their names: p1_t1, p1_t2, p1_seg."""

import dataclasses
from collections import Counter
from collections.abc import Sequence

from ....errors import DataError, UsageError
from ..file_role import Entry

_SEPARATORS = "_-. "


def one_contrast(
    images: Sequence[Entry], labels: Sequence[Entry], contrast: str | None
) -> tuple[list[Entry], tuple[str, ...]] | None:
    """The images of one contrast, named like their cases, and notes; None if names are not made up like this.

    As in BraTS, where p1_flair, p1_t1, p1_t1ce, p1_t2 and p1_seg lie together. No image may go by the name of a
    label alone: then that one is meant.

    Args:
        images: of one data set.
        labels: of the same.
        contrast: the last word of the images to read; None = the only one.

    Raises:
        DataError: there are several contrasts and none was chosen.
        UsageError: there is no such contrast.
    """
    bases = {label.base for label in labels}
    if not labels or any(image.key in bases or image.base in bases for image in images):
        return None
    split = {image.path: _split(image, bases) for image in images}
    words = [parts[1] for parts in split.values() if parts is not None]
    if not words:
        return None
    chosen = _choose(Counter(words), contrast, len(bases))
    named = []
    for image in images:
        base, word = split[image.path] or _without(image.key, chosen)
        if word.lower() == chosen.lower():
            named.append(dataclasses.replace(image, base=base, name=base, patient=base))
    n_left = len(images) - len(named)
    note = (
        f"the {chosen} images are read; {n_left} others are left out" if n_left else f"the images are all {chosen}"
    )
    return named, (note,)


def _choose(counts: Counter[str], contrast: str | None, n_labels: int) -> str:
    if contrast is not None:
        found = [word for word in counts if word.lower() == contrast.lower()]
        if not found:
            raise UsageError(f"there are no images {contrast!r}; use one of {', '.join(sorted(counts))}")
        return found[0]
    if len(counts) == 1:
        return next(iter(counts))
    listed = "; ".join(f"{word}: {count} images" for word, count in sorted(counts.items())[:8])
    raise DataError(
        f"{n_labels} label files have several images each ({listed}); choose one with --contrast "
        f"{min(counts)}, and prepare each as a domain of its own"
    )


def _split(image: Entry, bases: set[str]) -> tuple[str, str] | None:
    """The name of a label and the word behind it; the longest name counts. Channels of nnU-Net are no words."""
    for length in range(len(image.key) - 1, 0, -1):
        if image.key[length] in _SEPARATORS and image.key[:length] in bases:
            word = image.key[length + 1 :]
            return None if word.isdigit() else (image.key[:length], word)
    return None


def _without(key: str, word: str) -> tuple[str, str]:
    """The name of an image without labels and the word behind it; an empty word if it is another one."""
    base, end = key[: -len(word) - 1], key[-len(word) - 1 :]
    is_of_it = end[:1] in _SEPARATORS and end[1:].lower() == word.lower()
    return (base, word) if base and is_of_it else (key, "")
