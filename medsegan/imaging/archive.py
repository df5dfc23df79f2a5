"""A zip archive of a scan, laid open in a temporary folder for as long as it is read."""

import lzma
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..errors import DataError, InputError, MedseganError

MAX_MEMBERS = 50_000
MAX_BYTES = 16 << 30
MAX_RATIO = 200
"""Scans shrink two- to fivefold; an archive of zeros shrinks a thousandfold."""
_SMALL_BYTES = 256 << 20
"""Below this no ratio is too high: pictures of nothing but background are real."""
_BLOCK = 1 << 20
_LARGEST_HEAD = 64 << 20
_ARCHIVE_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b")
_PREAMBLE = 128
_FAILURES = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(OSError, EOFError, ValueError, RuntimeError, KeyError, IndexError, OverflowError, NotImplementedError),
)
"""What zipfile raises on damaged archives and on compressions that it does not know."""


@contextmanager
def open_archive(path: Path) -> Iterator[Path]:
    """A temporary folder with the files of an archive, numbered; it is removed at the end.

    Hidden files and the `__MACOSX` of macOS are left out. Errors that are raised while it is open name the files
    as the archive does.

    Args:
        path: a zip archive.

    Raises:
        InputError: it is damaged or does not fit on the disk.
        DataError: it is encrypted, too large, or holds links, archives, or paths that lead out of it.
    """
    with tempfile.TemporaryDirectory(prefix="medsegan-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                members = _checked_members(archive, path)
                _require_space(members, folder, path)
                for number, member in enumerate(members):
                    _extract(archive, member, folder / f"{number:06d}", path)
        except _FAILURES as error:
            raise InputError(f"{path}: the archive cannot be read ({_reason(error)}); it is damaged") from error
        names = [member.filename for member in members]
        try:
            yield folder
        except MedseganError as error:
            inside = re.escape(name) + r"/(\d{6})"
            text = re.sub(inside, lambda found: f"{path}/{names[int(found[1])]}", str(error))
            raise type(error)(text.replace(name, str(path))) from error


def may_hold_dicom(path: Path) -> bool:
    """Whether a scan may be in an archive: DICOM, or what cannot be looked into, so that its reader says why.

    Args:
        path: a zip archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if any(member.flag_bits & 1 for member in archive.infolist()):
                return True
    except _FAILURES:
        return True
    return first_dicom(path, 0) is not None


def first_dicom(path: Path, n_bytes: int = _LARGEST_HEAD) -> bytes | None:
    """The beginning of the first DICOM file in an archive; None if there is none.

    Args:
        path: a zip archive; in a damaged one there is none.
        n_bytes: how much of it at most, beside its preamble.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist()[:MAX_MEMBERS]:
                if _is_wanted(member) and not member.flag_bits & 1:
                    with archive.open(member) as stream:
                        head = stream.read(_PREAMBLE + 4)
                        if head[_PREAMBLE:] == b"DICM":
                            return head + stream.read(n_bytes)
    except _FAILURES:
        return None
    return None


def _checked_members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{path}: holds {len(members)} files, at most {MAX_MEMBERS} are read; unpack it yourself")
    for member in members:
        _require_inside(member, path)
    wanted = [member for member in members if _is_wanted(member)]
    n_bytes, n_packed = sum(one.file_size for one in wanted), sum(one.compress_size for one in wanted)
    if n_bytes > MAX_BYTES:
        raise DataError(
            f"{path}: holds {n_bytes / 2**30:.1f} GiB, at most {MAX_BYTES >> 30} are unpacked; unpack it yourself"
        )
    if n_bytes > _SMALL_BYTES and n_bytes > MAX_RATIO * n_packed:
        raise DataError(
            f"{path}: shrinks {n_bytes / max(1, n_packed):.0f}-fold, at most {MAX_RATIO} are believed; it may be "
            "made to fill the disk. Unpack it yourself if you trust it"
        )
    return wanted


def _require_inside(member: zipfile.ZipInfo, path: Path) -> None:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in PurePosixPath(name).parts or "\0" in name:
        raise DataError(f"{path}: {member.filename!r} leads out of the archive; such archives are not unpacked")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{path}: {member.filename!r} is a link or a device; pack the files themselves")
    if member.flag_bits & 1 and not member.is_dir():
        raise DataError(f"{path}: the archive is encrypted; unpack it with its password first")
    if name.lower().endswith((".zip", ".7z", ".rar", ".tar", ".tgz")):
        raise DataError(f"{path}: holds another archive, {member.filename!r}; unpack it first")


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    return not member.is_dir() and not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _require_space(members: list[zipfile.ZipInfo], folder: Path, path: Path) -> None:
    n_bytes, n_free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if n_bytes > n_free:
        raise InputError(
            f"{path}: {n_bytes / 1e9:.1f} GB have to be unpacked, but the disk of temporary files has "
            f"{n_free / 1e9:.1f} GB free; point TMPDIR to a larger one"
        )


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, path: Path) -> None:
    """Write one file, never more of it than its entry says, since that is what was counted."""
    n_left = member.file_size
    with archive.open(member) as stream, target.open("xb") as out:
        head = stream.read(min(_BLOCK, n_left + 1))
        if head.startswith(_ARCHIVE_MAGICS):
            raise DataError(f"{path}: holds another archive, {member.filename!r}; unpack it first")
        while head:
            n_left -= len(head)
            if n_left < 0:
                raise DataError(f"{path}: {member.filename!r} is larger than the archive says; it is damaged")
            out.write(head)
            head = stream.read(_BLOCK)
    if n_left:
        raise DataError(f"{path}: {member.filename!r} is smaller than the archive says; it is damaged")


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
