"""Bytes of files that may be compressed with gzip: exactly as many as promised, and checked to the last one."""

import bz2
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
import numpy.typing as npt

from ..errors import InputError

Packing = Literal["gzip", "zlib", "bzip2"]
_GZIP = b"\x1f\x8b"
_PACKINGS: dict[Packing, tuple[bytes, Callable[[], Any]]] = {
    "gzip": (_GZIP, lambda: zlib.decompressobj(31)),
    "zlib": (b"\0", lambda: zlib.decompressobj(47)),  # no stream of zlib begins so: there is but one
    "bzip2": (b"BZh", bz2.BZ2Decompressor),
}
"""What the next member begins with, and a decompressor for it that compares its checksum."""
_LARGEST_RATIOS: dict[Packing, int] = {"gzip": 1032, "zlib": 1032, "bzip2": 1 << 16}
"""What they can shrink at most: deflate a pair of bits for 258 bytes (zlib's technical details), bzip2 a block of
900 kB to a few dozen bytes."""
_BLOCK = 1 << 20


def open_plain_or_gzip(path: Path) -> BinaryIO:
    """The file to read from, unpacked if its content is gzip, whatever its name says."""
    return cast(BinaryIO, gzip.open(path, "rb")) if is_gzip(path) else path.open("rb")


def is_gzip(path: Path) -> bool:
    """Whether a file begins as gzip does."""
    with path.open("rb") as stream:
        return stream.read(len(_GZIP)) == _GZIP


def read_exactly(path: Path, offset: int, n_bytes: int) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """All bytes of a file from `offset` on, which must be `n_bytes` of them, and notes.

    A gzip file is read to its end, so that its checksums are compared; a reader that stops behind the last voxel
    never sees them. Nothing is allocated before the size of the file makes it possible.

    Args:
        path: the file, compressed or not.
        offset: counted in the content.
        n_bytes: what the header promises.

    Raises:
        InputError: the file is cut off, longer than promised, or damaged.
    """
    if is_gzip(path):
        _require_possible(path, offset + n_bytes, "gzip")
        return _inflated(path, 0, offset, n_bytes, "gzip")
    size = path.stat().st_size
    if size != offset + n_bytes:
        raise _wrong_length(path, size - offset, n_bytes)
    return np.fromfile(path, dtype=np.uint8, count=n_bytes, offset=offset), ()


def read_packed(
    path: Path, offset: int, n_bytes: int, packing: Packing
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """What is packed from `offset` on, which must be exactly `n_bytes` when unpacked, and notes.

    Args:
        path: the file.
        offset: where the packed bytes begin in it.
        n_bytes: what the header promises.
        packing: gzip, zlib or bzip2.

    Raises:
        InputError: the file is cut off, longer than promised, or damaged.
    """
    _require_possible(path, n_bytes, packing)
    return _inflated(path, offset, 0, n_bytes, packing)


def _require_possible(path: Path, n_bytes: int, packing: Packing) -> None:
    size = path.stat().st_size
    if n_bytes > size * _LARGEST_RATIOS[packing]:
        raise InputError(
            f"{path}: the header promises {n_bytes} bytes of voxels, too many for a file of {size} bytes; it is "
            "damaged or cut off"
        )


def _inflated(
    path: Path, offset: int, skipped: int, n_bytes: int, packing: Packing
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """The content of what is packed from `offset` on, but for its first `skipped` bytes."""
    try:
        content = np.empty(n_bytes, dtype=np.uint8)
    except MemoryError as error:
        raise InputError(f"{path}: {n_bytes / 1e9:.1f} GB of voxels do not fit into memory") from error
    n_read = -skipped

    def take(block: bytes) -> None:
        nonlocal n_read
        part = block[max(0, -n_read) :]
        n_read += len(block)
        if n_read > n_bytes:
            raise _wrong_length(path, None, n_bytes)
        if part:
            content[n_read - len(part) : n_read] = np.frombuffer(part, dtype=np.uint8)

    n_behind = _unpack(path, offset, packing, take)
    if n_read != n_bytes:
        raise _wrong_length(path, n_read, n_bytes)
    return content, (f"{n_behind} bytes behind the end of the compressed content are ignored",) if n_behind else ()


def _unpack(path: Path, offset: int, packing: Packing, take: Callable[[bytes], None]) -> int:
    """Unpack members one behind the other to their ends, as RFC 1952, section 2.2 asks for, checksums compared.

    Returns:
        The number of bytes behind the last member; zeros, with which tapes are filled, do not count.
    """
    magic, start = _PACKINGS[packing]
    with path.open("rb") as stream:
        stream.seek(offset)
        unpack = start()
        packed = stream.read(_BLOCK)
        while packed:
            try:
                take(unpack.decompress(packed, _BLOCK))
                while not unpack.eof and (rest := _waiting(unpack)) is not None:
                    take(unpack.decompress(rest, _BLOCK))
            except (zlib.error, OSError, EOFError) as error:
                raise InputError(f"{path}: the compressed content is damaged ({error})") from error
            packed = (unpack.unused_data if unpack.eof else b"") or stream.read(_BLOCK)
            if unpack.eof and packed:
                if not packed.startswith(magic):
                    return len(packed.rstrip(b"\0")) + len(stream.read().rstrip(b"\0"))
                unpack = start()
    if not unpack.eof:
        raise InputError(f"{path}: the compressed content has no end; the file is damaged or cut off")
    return 0


def _waiting(unpack: Any) -> bytes | None:
    """What a decompressor has still to work on before it takes more; `None` if nothing."""
    if isinstance(unpack, bz2.BZ2Decompressor):
        return None if unpack.needs_input else b""
    return unpack.unconsumed_tail or None


def _wrong_length(path: Path, found: int | None, n_bytes: int) -> InputError:
    has = "has more" if found is None else f"has {max(0, found)}"
    return InputError(
        f"{path}: the header promises {n_bytes} bytes of voxels, the file {has}; it is damaged or cut off"
    )
