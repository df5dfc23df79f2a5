"""Whether a picture file is whole: what Pillow, which wants to show what it can, does not look at."""

import zlib
from pathlib import Path

from PIL import Image

from ..errors import DataError, InputError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTH, _NAME, _CHECKSUM = 4, 4, 4
_BITS, _COMPRESSION, _SAMPLES = 258, 259, 277
_STRIP_OFFSETS, _STRIP_BYTES, _PLANAR = 273, 279, 284
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_PLAIN, _DEFLATE, _LOSSY = 1, (8, 32946), (6, 7)
_SEPARATE = 2


def check_png(path: Path) -> None:
    """Refuse a PNG of which a chunk is damaged or the end is missing (PNG specification, section 5.3).

    Pillow does not compare the checksums of the chunks with the pixels.

    Raises:
        InputError: it is damaged or cut off.
    """
    content = path.read_bytes()
    if not content.startswith(_SIGNATURE):
        return
    first = len(_SIGNATURE)
    while first + _LENGTH + _NAME <= len(content):
        length = int.from_bytes(content[first : first + _LENGTH], "big")
        body = content[first + _LENGTH : first + _LENGTH + _NAME + length]
        end = first + _LENGTH + _NAME + length + _CHECKSUM
        if end > len(content) or int.from_bytes(content[end - _CHECKSUM : end], "big") != zlib.crc32(body):
            break
        if body[:_NAME] == b"IEND":
            return
        first = end
    raise InputError(f"{path}: a chunk of this PNG does not fit its checksum; the file is damaged or cut off")


def check_tiff(image: Image.Image, path: Path, *, is_label: bool) -> None:
    """Refuse a TIFF whose strips or tiles do not hold exactly its pixels, or labels that were saved with losses.

    Only what is stored plainly or deflated can be proven: other compressions have neither length nor checksum.

    Args:
        image: opened, its pixels not loaded yet.
        path: its file.
        is_label: whether every value counts.

    Raises:
        InputError: it is damaged or cut off.
        DataError: labels that were compressed as JPEG.
    """
    tags = image.tag_v2  # type: ignore[attr-defined]
    compression = int(tags.get(_COMPRESSION, _PLAIN))
    if is_label and compression in _LOSSY:
        raise DataError(f"{path}: labels were saved as JPEG, which changes values; give the original mask")
    is_tiled = _TILE_OFFSETS in tags
    offsets = _numbers(tags.get(_TILE_OFFSETS if is_tiled else _STRIP_OFFSETS))
    lengths = _numbers(tags.get(_TILE_BYTES if is_tiled else _STRIP_BYTES))
    if compression not in (_PLAIN, *_DEFLATE) or len(offsets) != len(lengths):
        return
    expected = _tiled_bytes(image) if is_tiled else _row_bytes(image, image.width) * image.height
    content = path.read_bytes()
    found = 0
    for offset, length in zip(offsets, lengths, strict=True):
        part = content[offset : offset + length]
        if len(part) != length:
            raise InputError(f"{path}: its pixels lie beyond the end of the file; it is damaged or cut off")
        found += length if compression == _PLAIN else _inflated_length(part, expected, path)
    if found != expected:
        raise InputError(
            f"{path}: the header promises {expected} bytes of pixels, it holds {found}; it is damaged or cut off"
        )


def _inflated_length(part: bytes, most: int, path: Path) -> int:
    unpack = zlib.decompressobj()
    try:
        length = len(unpack.decompress(part, most + 1))
    except zlib.error as error:
        raise InputError(f"{path}: the compressed pixels are damaged ({error})") from error
    if not unpack.eof:
        raise InputError(f"{path}: the compressed pixels have no end; the file is damaged or cut off")
    return length


def _row_bytes(image: Image.Image, width: int) -> int:
    """Bytes of a row of all samples; where channels are stored apart, of the rows of each together."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits = _numbers(tags.get(_BITS, 1))
    n_samples = int(tags.get(_SAMPLES, 1))
    if int(tags.get(_PLANAR, 1)) == _SEPARATE:
        return n_samples * (-(-width * bits[0] // 8))
    return -(-width * bits[0] * n_samples // 8)


def _tiled_bytes(image: Image.Image) -> int:
    tags = image.tag_v2  # type: ignore[attr-defined]
    width, length = int(tags[_TILE_WIDTH]), int(tags[_TILE_LENGTH])
    return _row_bytes(image, width) * length * -(-image.width // width) * -(-image.height // length)


def _numbers(value: object) -> list[int]:
    parts = value if isinstance(value, tuple | list) else () if value is None else (value,)
    return [int(part) for part in parts]
