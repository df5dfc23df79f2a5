"""Cases that a list names by the paths of their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ....errors import DataError, InputError
from ....imaging import scan_stem
from ..channels import channel_note, chosen_channel
from ..dataset_json import ListedCase
from ..discovery import FoundCase
from ..file_role import Entry, read_entry
from ..pairing import cases_of

_LONGEST_NAME = 255
"""No file has a longer one."""


@dataclass(frozen=True)
class FileList:
    """Where the files of a list are looked for.

    Args:
        file: the list itself, for messages.
        base: what its paths are relative to.
        may_leave: whether paths may lead out of `base`, as in lists that are made to gather files.
        contrast: number or name of the channel to read of cases with several images; None = the first.
        channels: number -> name of the channels.
    """

    file: Path
    base: Path
    may_leave: bool = False
    contrast: str | None = None
    channels: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundFiles:
    """What of a list is there.

    Args:
        cases: those whose image is there, in the order of the list.
        positions: of these cases in the list.
        missing: paths of images and labels that are not there, as the list has them.
        notes: what is worth telling.
        has_channels: whether names of files end in a channel that the list leaves out, as in nnU-Net v1.
    """

    cases: tuple[FoundCase, ...]
    positions: tuple[int, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    has_channels: bool


def find_listed(listed: Sequence[ListedCase], where: FileList) -> FoundFiles:
    """The files of a list.

    Raises:
        InputError: none of the images is there.
        DataError: a path leads out of the data set, or two cases go by one name.
        UsageError: there is no channel as asked for.
    """
    n_channels = max((len(case.images) for case in listed), default=1)
    chosen = chosen_channel(where.contrast, where.channels, n_channels) if n_channels > 1 else 0
    entries: list[Entry] = []
    label_of: dict[Path, Path] = {}
    positions: list[int] = []
    missing: list[str] = []
    has_channels = False
    for position, case in enumerate(listed):
        name = case.images[min(chosen, len(case.images) - 1)]
        image = _find(where, name)
        if image is None:
            missing.append(name)
            continue
        has_channels = has_channels or image.name != PurePosixPath(name).name
        entries.append(read_entry(image, case.name or _key_of(name)))
        positions.append(position)
        if case.label is not None:
            label = _find(where, case.label)
            if label is None:
                missing.append(case.label)
            else:
                label_of[image] = label
    if not entries:
        raise InputError(
            f"none of the {len(missing)} images that {where.file} lists is there, such as {missing[0]}; "
            f"its paths are taken as relative to {where.base}"
            if missing
            else f"{where.file} lists no case"
        )
    notes = channel_note(chosen, where.contrast, where.channels, n_channels)
    return FoundFiles(cases_of(entries, label_of), tuple(positions), tuple(missing), notes, has_channels)


def notes_on_missing(found: FoundFiles, listed: Sequence[ListedCase], name: str) -> tuple[str, ...]:
    """How many files are not there, for the notes of a discovery.

    Args:
        found: what is there.
        listed: the whole list.
        name: of the list.
    """
    notes = []
    n_missing = len(listed) - len(found.cases)
    if n_missing:
        notes.append(f"{n_missing} images that {name} lists are not there")
    n_unlabeled = sum(case.label is None for case in found.cases)
    if n_unlabeled:
        notes.append(f"{n_unlabeled} cases of {name} have no label file")
    return tuple(notes)


def note_on_tests(names: Sequence[str], where: FileList) -> tuple[str, ...]:
    """How many images of a test set are not there; nothing where all are, since nobody needs them."""
    n_missing = sum(_find(where, name) is None for name in names)
    return (f"{n_missing} test images that {where.file.name} lists are not there",) if n_missing else ()


def _key_of(name: str) -> str:
    """The path of a list without its suffix and without what leads up from or out of the data set."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = [part for part in path.parts[:-1] if part not in {".", "..", "/"} and not part.endswith(":")]
    return "/".join((*parts, scan_stem(Path(path.name))))


def _find(where: FileList, name: str) -> Path | None:
    """The file, or the one with nnU-Net's channel 0000 in its name, which version 1 leaves out of the list."""
    path = where.base / name.replace("\\", "/")
    if not path.name or path == where.base or "\0" in name or len(path.name) > _LONGEST_NAME:
        return None
    if not where.may_leave and not path.resolve().is_relative_to(where.base.resolve()):
        raise DataError(f"{where.file} lists {name}, which lies outside of the data set; correct the path")
    stem = scan_stem(path) if not path.is_dir() else path.name
    for candidate in (path, path.with_name(f"{stem}_0000{path.name[len(stem) :]}")):
        if candidate.exists():
            return candidate
    return None
