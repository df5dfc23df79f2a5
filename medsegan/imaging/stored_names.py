"""The names of classes that a label file holds itself."""

import json
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import DataError, InputError
from ..shapes import LabelArray
from .class_names import chosen_names, class_name_of, name_classes
from .formats import format_of
from .itk import is_ascii_only, open_itk
from .label_table import CARET, PNG_KEYWORD, names_from_fields, names_from_xml
from .nifti_header import read_extensions
from .raster import PICTURE_FAILURES

_CODES = (0, CARET)
"""Header extensions that hold tables of names: those of TotalSegmentator and of the Connectome Workbench."""
_LARGEST = 65535
_FAILURES = (ValueError, TypeError, AttributeError, LookupError, OSError, DataError, InputError, *PICTURE_FAILURES)


def read_names(path: Path) -> tuple[dict[int, str], tuple[str, ...]]:
    """Value -> name of the classes, empty if the file names none; and a note on names that cannot be read.

    Names are never worth a label file: whatever is wrong with them, they are left out and the file is read.

    Args:
        path: NIfTI with a label table as header extension, NRRD or MetaImage with the fields of 3D Slicer, or PNG
            with a text of ours.
    """
    kind = format_of(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "nifti":
                found = _of_nifti(path)
            elif kind == "itk":
                reader, _ = open_itk(path)
                fields = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
                found = names_from_fields(fields, ascii_only=is_ascii_only(path))
            else:
                found = _of_picture(path)
        usable = {value: name for value, name in found.items() if 0 < value <= _LARGEST and class_name_of(name)}
        return name_classes(sorted(usable.items()), str(path)), ()
    except _FAILURES as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return {}, (f"the table of class names in the file cannot be used ({reason}); it is left out",)


def keep_named(
    labels: LabelArray, names: Mapping[int, str], only: Collection[str] | None, known: Collection[str] | None
) -> tuple[LabelArray, dict[int, str], tuple[str, ...]]:
    """The labels that are asked for by name, with their names, and notes; as they are if the file names none.

    Args:
        labels: as stored.
        names: value -> name, of the file.
        only: names of the classes to read; `None` = all.
        known: names that values have been given elsewhere. Where none of the file's names is among them, the names
            are dropped, so that the values count; `None` = none were given.
    """
    present = [int(value) for value in np.flatnonzero(np.bincount(labels.ravel())) if value != 0]
    if not names or not present:
        return labels, dict(names), ()
    wanted = None if known is None else {class_name_of(name) for name in known}
    if wanted is not None and not wanted & {names[value] for value in present if value in names}:
        listed = ", ".join(names[value] for value in present[:5] if value in names) or "otherwise"
        return labels, {}, (f"the file calls its classes {listed}, which are not known; its values count",)
    notes = []
    unnamed = [value for value in present if value not in names]
    complete = {**names, **{value: f"label_{value}" for value in unnamed}}
    if unnamed:
        notes.append(f"the file does not name its values {', '.join(str(value) for value in unnamed[:8])}")
    chosen = chosen_names(complete, only)
    dropped = [value for value in present if value not in chosen]
    if dropped:
        listed = ", ".join(complete[value] for value in dropped[:8])
        notes.append(f"classes of the file that are not asked for are background: {listed}")
        labels = np.where(np.isin(labels, dropped), 0, labels).astype(labels.dtype)
    return labels, chosen, tuple(notes)


def _of_nifti(path: Path) -> dict[int, str]:
    """The names of the first extension that is a table."""
    for extension in read_extensions(path):
        if extension.get_code() in _CODES and b"<Label" in extension.content:
            return names_from_xml(extension.content)
    return {}


def _of_picture(path: Path) -> dict[int, str]:
    with Image.open(path, formats=("PNG", "TIFF")) as image:
        image.load()
        text = getattr(image, "text", {}).get(PNG_KEYWORD)
    if text is None:
        return {}
    return {int(value): str(name) for value, name in json.loads(text).items()}
