"""The header of an ordinary DICOM file in one pass over its bytes; whatever is unusual is left to pydicom."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import AllTransferSyntaxes, ExplicitVRLittleEndian, ImplicitVRLittleEndian

_FIRST_READ = 1 << 16
_LARGEST_HEADER = 1 << 20
_META, _LAST_META = 132, 0x0007FFFF
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_CLASS, _SYNTAX, _PIXELS = 0x00020002, 0x00020010, 0x7FE00010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_DEEPEST = 16
_NATIVE = frozenset((ImplicitVRLittleEndian, ExplicitVRLittleEndian))
_KNOWN_SYNTAXES = frozenset(
    uid for uid in AllTransferSyntaxes if uid.is_little_endian and not (uid.is_deflated or "JPIP" in uid.name)
)
_EXPLICIT = struct.Struct("<HH2sH").unpack_from
_IMPLICIT = struct.Struct("<HHL").unpack_from
_LENGTH = struct.Struct("<L").unpack_from
_DOUBLE = struct.Struct("<d").unpack


class _UnusualError(Exception):
    """This file is for pydicom; never leaves this module."""


class _TooShortError(Exception):
    """More of the file is needed; never leaves this module."""


@dataclass(frozen=True)
class PlainElements:
    """The wanted elements of a file.

    Args:
        values: keyword -> bytes of the value, little endian; what the file lacks is absent.
        pixels: offset and length of PixelData where it is stored as it is (PS3.5, annex A.1 and A.2) and the file
            ends behind it; None = compressed, cut off, or none.
    """

    values: Mapping[str, bytes]
    pixels: tuple[int, int] | None

    def __contains__(self, keyword: str) -> bool:
        """Whether the file has an element."""
        return keyword in self.values

    def text(self, keyword: str) -> str:
        """An element as the text it is written in; "" if it is absent."""
        return self.values.get(keyword, b"").decode("ascii", errors="replace").strip(" \0")

    def integer(self, keyword: str) -> int | None:
        """The number of an element of two bytes without sign; None if it is absent or empty.

        Raises:
            ValueError: it has more or fewer bytes.
        """
        value = self.values.get(keyword)
        if value and len(value) != 2:
            raise ValueError(f"{keyword} has {len(value)} bytes, expected 2")
        return int.from_bytes(value, "little") if value else None

    def double_text(self, keyword: str) -> str:
        """The number of an element of eight bytes, in words; "" if it is absent, "None" if it is empty.

        Raises:
            ValueError: it has more or fewer bytes.
        """
        value = self.values.get(keyword)
        if value and len(value) != 8:
            raise ValueError(f"{keyword} has {len(value)} bytes, expected 8")
        return "" if value is None else str(_DOUBLE(value)[0]) if value else "None"


class PlainReader:
    """Reads some elements of ordinary files.

    Args:
        keywords: the elements to read, SOPClassUID among them.
        left: keywords, or eight hexadecimal digits, of elements that make a file unusual.
    """

    def __init__(self, keywords: tuple[str, ...], left: tuple[str, ...]) -> None:
        self._wanted = {
            _tag(keyword): (keyword, frozenset(dictionary_VR(_tag(keyword)).encode().split(b" or ")))
            for keyword in keywords
        }
        self._wanted.update({_tag(keyword): (keyword, frozenset[bytes]()) for keyword in left})

    def read(self, path: Path) -> PlainElements | None:
        """The elements of a file; None if anything in it is other than usual, so that pydicom has to look at it.

        Usual is: a preamble, a meta header with a known transfer syntax, little endian and not deflated, and with
        the SOP class of the data set; tags that rise, value representations as in the dictionary, lengths within
        the file; and PixelData behind all else.
        """
        try:
            with path.open("rb", buffering=0) as stream:
                head = stream.read(_FIRST_READ)
                n_bytes = stream.seek(0, 2)
                try:
                    return self._scan(head, n_bytes)
                except _TooShortError:
                    stream.seek(0)
                    return self._scan(stream.read(_LARGEST_HEADER), n_bytes)
        except (OSError, _UnusualError, _TooShortError):
            return None

    def _scan(self, head: bytes, n_bytes: int) -> PlainElements:
        if head[128:_META] != b"DICM":
            raise _UnusualError
        try:
            syntax, promised, place = _read_meta(head, n_bytes)
            elements = self._scan_elements(head, n_bytes, syntax, place)
        except struct.error as error:  # behind the end of what was read
            raise (_TooShortError if len(head) < n_bytes else _UnusualError) from error
        if not promised or elements.text("SOPClassUID") != promised:
            raise _UnusualError
        return elements

    def _scan_elements(self, head: bytes, n_bytes: int, syntax: str, place: int) -> PlainElements:
        is_explicit = syntax != ImplicitVRLittleEndian
        if not is_explicit and head[place + 4 : place + 6].isalpha():
            raise _UnusualError
        values: dict[str, bytes] = {}
        last, wanted = _LAST_META, self._wanted
        while True:
            # What `_element` does, written out: of this loop a long series is read a million times.
            if is_explicit:
                group, element, vr, length = _EXPLICIT(head, place)
                start = place + 8
                if vr not in _SHORT_VRS:
                    length, start = _long_length(head, place, vr)
            else:
                group, element, length = _IMPLICIT(head, place)
                vr, start = b"", place + 8
            tag = group << 16 | element
            if tag <= last:
                raise _UnusualError
            last = tag
            if tag == _PIXELS:
                is_native = syntax in _NATIVE and vr in (b"OW", b"") and start + length == n_bytes
                return PlainElements(values, (start, length) if is_native else None)
            if tag > _PIXELS:
                raise _UnusualError
            if length == _UNDEFINED:
                if tag in wanted or vr not in (b"SQ", b""):
                    raise _UnusualError
                place = _skip(head, start, is_explicit, 0)
            else:
                place = start + length
                if tag in wanted:
                    name, vrs = wanted[tag]
                    if not vrs or (is_explicit and vr not in vrs):
                        raise _UnusualError
                    values[name] = head[start:place]
                    if len(head) < place <= n_bytes:
                        raise _TooShortError
            if place >= n_bytes:
                raise _UnusualError


def _read_meta(head: bytes, n_bytes: int) -> tuple[str, str, int]:
    """The transfer syntax, the SOP class that is promised, and where the data set begins."""
    texts: dict[int, str] = {}
    place, last = _META, 0
    while head[place : place + 2] == b"\2\0":
        tag, _, length, start = _element(head, place, is_explicit=True)
        if tag <= last:
            raise _UnusualError
        last, place = tag, start + length
        if place > n_bytes:
            raise _UnusualError
        if tag in (_CLASS, _SYNTAX):
            texts[tag] = head[start:place].decode("ascii", errors="replace").strip(" \0")
    if texts.get(_SYNTAX) not in _KNOWN_SYNTAXES:
        raise _UnusualError
    return texts[_SYNTAX], texts.get(_CLASS, ""), place


def _element(head: bytes, place: int, is_explicit: bool) -> tuple[int, bytes, int, int]:
    """Tag, value representation, length and beginning of the value of an element (PS3.5, section 7.1)."""
    if not is_explicit:
        group, element, length = _IMPLICIT(head, place)
        return group << 16 | element, b"", length, place + 8
    group, element, vr, length = _EXPLICIT(head, place)
    if vr in _SHORT_VRS:
        return group << 16 | element, vr, length, place + 8
    length, start = _long_length(head, place, vr)
    return group << 16 | element, vr, length, start


def _long_length(head: bytes, place: int, vr: bytes) -> tuple[int, int]:
    """Length and beginning of the value of an element whose length has four bytes."""
    if vr not in _LONG_VRS:
        raise _UnusualError
    return _LENGTH(head, place + 8)[0], place + 12


def _skip(head: bytes, place: int, is_explicit: bool, depth: int) -> int:
    """Where a sequence of undefined length ends that begins at a place (PS3.5, section 7.5)."""
    if depth > _DEEPEST:
        raise _UnusualError
    while True:
        group, element, length = _IMPLICIT(head, place)
        tag, place = group << 16 | element, place + 8
        if tag == _SEQUENCE_END:
            return place
        if tag != _ITEM:
            raise _UnusualError
        if length != _UNDEFINED:
            place += length
            continue
        while _IMPLICIT(head, place)[:2] != (_ITEM_END >> 16, _ITEM_END & 0xFFFF):
            _, vr, length, start = _element(head, place, is_explicit)
            if length == _UNDEFINED and vr not in (b"SQ", b""):
                raise _UnusualError
            place = _skip(head, start, is_explicit, depth + 1) if length == _UNDEFINED else start + length
        place += 8


def _tag(name: str) -> int:
    """The tag of a keyword, or of eight hexadecimal digits."""
    tag = tag_for_keyword(name)
    return int(name, 16) if tag is None else tag
