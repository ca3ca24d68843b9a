"""An archive's bytes: a zip of stored members of which every byte is fixed by their content.

Members are not compressed: what zlib writes differs between builds, and a changed bit of a
compressed member may still unpack to the same content. So the same members give the same bytes on
any machine, and every byte of a file can be compared with what it has to be. Pure.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple, Protocol

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_SIGN, _CENTRAL_SIGN, _END_SIGN = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_NEEDED, _MADE_BY = 20, 3 << 8 | 20  # made on Unix, so that the permissions below are read
_MODE = 0o100644 << 16
_DAY = 1 << 5 | 1  # 1980-01-01, the earliest that a zip can say
#: Beyond it a zip needs 64-bit fields, which we do not write.
_LARGEST = 2**32 - 1
_MOST = 2**16 - 1


class TooLargeError(ValueError):
    """The members do not fit into one archive: 4 GiB or 65,535 of them."""


class Buffer(Protocol):
    """Bytes in memory or a file mapped into it."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class Entry(NamedTuple):
    """One member: its name, and where its data lies."""

    name: str
    crc: int
    size: int

    def local(self) -> bytes:
        """The header before its data."""
        name = self.name.encode("ascii")
        sizes = self.crc, self.size, self.size
        return _LOCAL.pack(_LOCAL_SIGN, _NEEDED, 0, 0, 0, _DAY, *sizes, len(name), 0) + name

    def central(self, at: int) -> bytes:
        """Its entry in the directory; `at` is where its local header begins."""
        name = self.name.encode("ascii")
        fixed = _MADE_BY, _NEEDED, 0, 0, 0, _DAY, self.crc, self.size, self.size
        return _CENTRAL.pack(_CENTRAL_SIGN, *fixed, len(name), 0, 0, 0, 0, _MODE, at) + name

    @property
    def length(self) -> int:
        """Bytes of the header and the data together."""
        return _LOCAL.size + len(self.name) + self.size


class Members(Mapping[str, bytes]):
    """The members of an archive by name; each is read when it is asked for."""

    def __init__(self, data: Buffer, entries: list[Entry]) -> None:
        self._data = data
        ends = starts(entries)[1:]
        self._at = {one.name: (end - one.size, end) for one, end in zip(entries, ends, strict=True)}

    def __getitem__(self, name: str) -> bytes:
        begin, end = self._at[name]
        return self._data[begin:end]

    def __iter__(self) -> Iterator[str]:
        return iter(self._at)

    def __len__(self) -> int:
        return len(self._at)


class Part(NamedTuple):
    """A part of an archive's structure: what it is in Chinese and English, and its bytes."""

    zh: str
    en: str
    data: bytes


def pack(members: Mapping[str, bytes]) -> bytes:
    """The archive of these members, in their order.

    Raises:
        TooLargeError: they are too many or too large.
    """
    entries = [Entry(name, zlib.crc32(data), len(data)) for name, data in members.items()]
    tail = b"".join(part.data for part in directory(entries))
    if sum(entry.length for entry in entries) + len(tail) > _LARGEST or len(entries) > _MOST:
        raise TooLargeError
    bodies = (part for pair in zip(entries, members.values(), strict=True) for part in _body(*pair))
    return b"".join([*bodies, tail])


def _body(entry: Entry, data: bytes) -> tuple[bytes, bytes]:
    return entry.local(), data


def starts(entries: list[Entry]) -> list[int]:
    """Where each member's local header begins, and at last where the directory does."""
    return list(accumulate((entry.length for entry in entries), initial=0))


def skeleton(entries: list[Entry]) -> Iterator[tuple[int, Part]]:
    """Every byte that is no member's data: where each part begins, and what it has to be."""
    *begins, at = starts(entries)
    for entry, begin in zip(entries, begins, strict=True):
        yield begin, Part(f"{entry.name} 的文件头", f"header of {entry.name}", entry.local())
    for part in directory(entries):
        yield at, part
        at += len(part.data)


def directory(entries: list[Entry]) -> Iterator[Part]:
    """What follows the members: an entry of the directory for each, and the end record."""
    size = 0
    *begins, start = starts(entries)
    for entry, at in zip(entries, begins, strict=True):
        data = entry.central(at)
        size += len(data)
        yield Part(f"{entry.name} 的目录项", f"directory entry of {entry.name}", data)
    count = len(entries)
    record = _END.pack(_END_SIGN, 0, 0, count, count, size, start, 0)
    yield Part("目录结束记录", "end record of the directory", record)


def by_headers(data: Buffer) -> list[Entry] | None:
    """The members by the headers before them; None if these do not lead to the directory."""
    found: list[Entry] = []
    at = 0
    while data[at : at + 4] == _LOCAL_SIGN:
        entry = _entry(data, at, _LOCAL, 6, 9)
        if entry is None or data[at : at + len(entry.local())] != entry.local():
            return None
        at += entry.length
        if at > len(data):
            return None
        found.append(entry)
    rest = sum(len(part.data) for part in directory(found))
    reached = data[at : at + 4] == _CENTRAL_SIGN or len(data) - at == rest
    return found if found and reached else None


def by_directory(data: Buffer) -> list[Entry] | None:
    """The members by the directory at the end; None if that is not as it has to be."""
    begin = len(data) - _END.size
    if begin < 0 or data[begin : begin + 4] != _END_SIGN:
        return None
    size, start = _END.unpack(data[begin : begin + _END.size])[5:7]
    at, found = start, []
    while at < begin and data[at : at + 4] == _CENTRAL_SIGN:
        entry = _entry(data, at, _CENTRAL, 7, 10)
        if entry is None:
            return None
        at += _CENTRAL.size + len(entry.name)
        found.append(entry)
    whole = b"".join(part.data for part in directory(found))
    fits = start + size == begin and data[start : len(data)] == whole
    return found if found and fits else None


def _entry(data: Buffer, at: int, form: struct.Struct, sizes: int, name: int) -> Entry | None:
    """A header as an entry; `sizes` and `name` are the places of the CRC and the name's length."""
    head = data[at : at + form.size]
    if len(head) < form.size:
        return None
    fields = form.unpack(head)
    begin = at + form.size
    raw = data[begin : begin + fields[name]]
    if len(raw) < fields[name] or not raw.isascii():
        return None
    return Entry(raw.decode("ascii"), fields[sizes], fields[sizes + 2])


def before_first(data: Buffer) -> int:
    """How many bytes stand before the first header, by the end record; 0 if that says none."""
    begin = len(data) - _END.size
    if begin < 0 or data[begin : begin + 4] != _END_SIGN:
        return 0
    size, start = _END.unpack(data[begin : begin + _END.size])[5:7]
    return int(max(0, begin - size - start))
