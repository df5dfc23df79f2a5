"""What the user did not say himself is not said to him: names and paths of scans are taken out of messages."""

import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError, MedseganError, UsageError
from ...imaging import is_archive, is_dicom_file, read_patient_words, scan_stem
from ..datasets.file_role import IMAGE_WORDS, LABEL_WORDS, read_role

FILE, NAME = "[file]", "[name]"
HINT = "`medsegan -v ...` shows the names"

_SHORTEST_WORD = 3
_SHORTEST_NUMBER = 4
_ORDINARY = IMAGE_WORDS | LABEL_WORDS
_ORDINARY |= {"case", "cases", "data", "dataset", "dicom", "dicomdir", "file", "files", "folder", "image", "nifti"}
_ORDINARY |= {
    "patient",
    "patients",
    "scans",
    "series",
    "slice",
    "slices",
    "study",
    "test",
    "train",
    "val",
    "volumes",
}
# Of these the sentences of errors are made: a folder called "one" leads nowhere, and without it they say nothing.
_SENTENCES = """
    all and are ask axes axis bad body both but chest damaged empty extra first five for four from
    full gap gaps grid has head holds its layer left mask masks missing modality new none not
    number off old one only other out part phase phases pixel pixels plane position positions
    readable repeat right scan second segmentation several size spacing than that the they this
    three two unit unknown value values volume voxel voxels with
"""
_ORDINARY |= frozenset(_SENTENCES.split())
_ORDINARY |= {"dcm", "gz", "hdr", "json", "mha", "nii", "nrrd", "png", "tif", "tiff", "zip"}


@dataclass(frozen=True)
class Redaction:
    """Takes out of a text what leads to scans that were found and not named.

    Archives and hospitals call folders and files after patients, and the messages of readers name files. So at the
    one border between the work and whoever reads of it, every path below those that the user typed, every name in
    such a path, and everything of the DICOM header that tells who the patient is, is replaced.

    Args:
        named: paths as the user typed them; they alone may be repeated.
        is_off: whether everything is shown, as -v asks.
    """

    named: tuple[Path, ...] = ()
    is_off: bool = False

    def name_of(self, path: Path, case_id: str) -> str:
        """What a scan is called: as the user named it, else by its id; by both where everything is shown."""
        if path in self.named:
            return str(path)
        return f"{case_id} ({path})" if self.is_off else case_id

    def of_case(self, text: str, case_id: str, *paths: Path | None) -> str:
        """An error about one case without what leads to it, unless everything is shown.

        Args:
            text: the message.
            case_id: takes the place of the paths.
            paths: scan, and labels if there are any.
        """
        if self.is_off:
            return text
        hidden = _Hidden()
        for path in paths:
            if path is not None:
                self._hide(path, case_id, hidden)
        return self._without(text, hidden)

    def of_failure(self, reason: str, called: str, image: Path, label: Path | None = None) -> tuple[str, str]:
        """What a case that failed is called, and why it failed, as both may be said.

        Args:
            reason: the message.
            called: its id, or what takes the place of one.
            image: the scan.
            label: its labels, if there are any.
        """
        return self.name_of(image, called), self.of_case(reason, called, image, label).removeprefix(f"{called}: ")

    def of_notes(self, notes: Sequence[str], image: Path, label: Path | None = None) -> tuple[str, ...]:
        """Notes on a case, which are kept in files and name no paths, without names; whatever is shown."""
        if not notes:
            return ()
        hidden = _Hidden()
        for path in (image, label):
            hidden.words.update(set() if path is None else self._names_below(path))
        hidden.words.update(read_patient_words(image))
        return tuple(self._without(note, hidden) for note in notes)

    def of_names(self, texts: Sequence[str], paths: Iterable[Path]) -> list[str]:
        """Texts about a whole data set, which may hold patterns of names, without them; whatever is shown."""
        hidden = _Hidden()
        for path in paths:
            hidden.words.update(self._names_below(path))
        return [self._without(text, hidden) for text in texts]

    @contextmanager
    def of_errors(self) -> Iterator[None]:
        """Take the same out of the errors that end the work, whichever scan they are about."""
        try:
            yield
        except UsageError:
            raise  # about options and places to write to
        except Exception as error:
            if self.is_off:
                raise
            text = self.of_everything(str(error))
            if text == str(error):
                raise
            if isinstance(error, OSError):
                raise InputError(f"{text}; {HINT}") from error
            error.args = (f"{text}; {HINT}" if isinstance(error, MedseganError) else text,)
            raise

    def of_everything(self, text: str) -> str:
        """A message about any of the scans below the named paths."""
        hidden = _Hidden()
        for root in self.named:
            for path in _tree(root):
                if path in self.named:
                    continue
                for form in _forms(path):
                    hidden.paths[form] = FILE
                hidden.words.update(self._names_below(path))
                if is_archive(path):
                    hidden.words.update(_members(path))
            if root.is_dir() or is_dicom_file(root):
                hidden.words.update(read_patient_words(root))
        return self._without(text, hidden)

    def _hide(self, path: Path, case_id: str, hidden: "_Hidden") -> None:
        called = str(path) if path in self.named else case_id
        if path not in self.named:
            hidden.paths.update(dict.fromkeys(_forms(path), case_id))
            hidden.words.update(self._names_below(path))
        is_series = is_archive(path) or is_dicom_file(path) or any(map(is_dicom_file, _tree(path)))
        # Files for one class each are called after their classes, which may be said.
        below = _tree(path if path.is_dir() or not is_series else path.parent)
        for inner in below:
            if inner != path:
                place = f"{called}/{FILE if is_series else inner.name}"
                hidden.paths.update(dict.fromkeys(_forms(inner), place))
                hidden.words.update(_words(inner.relative_to(path.parent).parts[1:]) if is_series else ())
        if is_series:
            hidden.words.update(_members(path) if is_archive(path) else ())
            hidden.words.update(read_patient_words(path))

    def _names_below(self, path: Path) -> set[str]:
        """The names in a path that the user did not type."""
        roots = [root for root in self.named if path.is_relative_to(root)]
        if roots:
            return _words(path.relative_to(max(roots, key=lambda root: len(root.parts))).parts)
        resolved = [root.resolve() for root in self.named if path.resolve().is_relative_to(root.resolve())]
        inner = path.resolve().relative_to(resolved[0]) if resolved else path
        return _words(part for part in inner.parts if part != path.anchor)

    def _without(self, text: str, hidden: "_Hidden") -> str:
        text = _replaced(text, hidden.paths)
        # What was typed stays, also where a name or a date of the patient is in it; what follows it does not.
        typed = {form: f"\0{index}\0" for index, root in enumerate(self.named) for form in _forms(root)}
        typed = {form: mark for form, mark in typed.items() if len(form) > 1}
        text = _replaced(text, typed)
        text = re.sub(r"(\0\d+\0)/[^\s:;,()'\"]+", rf"\1/{FILE}", text)
        present = [word for word in hidden.words if word in text.lower()]
        for word in sorted(present, key=len, reverse=True):
            text = re.sub(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", NAME, text, flags=re.IGNORECASE)
        return re.sub(r"\0(\d+)\0", lambda found: str(self.named[int(found[1])]), text)


class _Hidden:
    """What is taken out: paths with what takes their place, and words in lower case."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}
        self.words: set[str] = set()


def _replaced(text: str, replacements: Mapping[str, str]) -> str:
    for found in sorted((one for one in replacements if one in text), key=len, reverse=True):
        text = text.replace(found, replacements[found])
    return text


def _forms(path: Path) -> set[str]:
    """How a path may be written in a message."""
    with suppress(OSError):
        return {str(path), os.path.abspath(path), str(path.resolve())}
    return {str(path)}


def _tree(root: Path) -> list[Path]:
    """Everything below a folder, or a file itself; what cannot be looked into is passed over."""
    if not root.is_dir():
        return [root]
    return [Path(folder) / name for folder, folders, files in os.walk(root) for name in (*folders, *files)]


def _words(parts: Iterable[str]) -> set[str]:
    """The parts of a path in lower case, as a message may hold them; without those that lead nowhere."""
    found = set()
    for part in parts:
        stem = scan_stem(Path(part))
        role, rest = read_role(stem)
        found.update([part, stem, *([rest] if role != "unsaid" else [])])
    return {word.lower() for word in found if _leads_somewhere(word.lower())}


def _leads_somewhere(word: str) -> bool:
    if word in _ORDINARY or word.removesuffix("tr") in _ORDINARY or word.removesuffix("ts") in _ORDINARY:
        return False
    return len(word) >= (_SHORTEST_NUMBER if word.isdecimal() else _SHORTEST_WORD)


def _members(path: Path) -> set[str]:
    """The names of the files in an archive."""
    with suppress(zipfile.BadZipFile, OSError, ValueError), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        return {name.lower() for name in names} | _words(part for name in names for part in name.split("/"))
    return set()
