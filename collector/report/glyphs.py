"""Which characters a font file can show: its character map, read from the file (OpenType `cmap`).

Without it a character that no font has would be printed as an empty box, and nobody would know
which name stood there.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

#: Tables for the whole of Unicode before those for its first 65,536 characters.
_PREFERRED = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))
_COLLECTION = b"ttcf"


@dataclass(frozen=True, slots=True)
class Characters:
    """Ranges of code points, sorted."""

    firsts: tuple[int, ...]
    lasts: tuple[int, ...]

    def __contains__(self, character: str) -> bool:
        place = bisect_right(self.firsts, ord(character)) - 1
        return place >= 0 and ord(character) <= self.lasts[place]


def characters(path: Path, index: int = 0) -> Characters:
    """The characters of one font of a file; `index` counts the fonts of a collection (.ttc).

    Empty where the map is of a kind that this reader does not know.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no OpenType font.
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return _characters(data, index, path)


def _characters(data: mmap, index: int, path: Path) -> Characters:
    try:
        ranges = sorted(_ranges(data, _table(data, index)))
    except struct.error as error:
        raise ValueError(f"{path}: the font ends before its tables do") from error
    return Characters(tuple(first for first, _ in ranges), tuple(last for _, last in ranges))


def _table(data: mmap, index: int) -> int:
    """Where the best `cmap` subtable begins."""
    start = struct.unpack_from(">I", data, 12 + 4 * index)[0] if data[:4] == _COLLECTION else 0
    (tables,) = struct.unpack_from(">H", data, start + 4)
    found = (struct.unpack_from(">4sIII", data, start + 12 + 16 * nth) for nth in range(tables))
    cmap = next((offset for tag, _, offset, _ in found if tag == b"cmap"), None)
    if cmap is None:
        raise ValueError("no character map: not an OpenType font")
    (count,) = struct.unpack_from(">H", data, cmap + 2)
    subtables = {
        (platform, encoding): cmap + offset
        for platform, encoding, offset in (
            struct.unpack_from(">HHI", data, cmap + 4 + 8 * nth) for nth in range(count)
        )
    }
    return next((subtables[kind] for kind in _PREFERRED if kind in subtables), len(data))


def _ranges(data: mmap, start: int) -> Iterator[tuple[int, int]]:
    kind = struct.unpack_from(">H", data, start)[0] if start < len(data) else 0
    if kind == 12:
        (groups,) = struct.unpack_from(">I", data, start + 12)
        for nth in range(groups):
            first, last, _ = struct.unpack_from(">III", data, start + 16 + 12 * nth)
            yield first, last
    elif kind == 4:
        yield from _segments(data, start)


def _segments(data: mmap, start: int) -> Iterator[tuple[int, int]]:
    """Format 4: segments of 16-bit characters, some with holes (glyph 0)."""
    count = struct.unpack_from(">H", data, start + 6)[0] // 2
    rows = [
        struct.unpack_from(f">{count}H", data, start + 14 + 2 * count * row + (2 if row else 0))
        for row in range(4)
    ]
    offsets = start + 16 + 6 * count
    for nth, (last, first, delta, offset) in enumerate(zip(*rows, strict=True)):
        if not offset:
            yield first, min(last, 0xFFFE)
            continue
        for code in range(first, min(last, 0xFFFE) + 1):
            at = offsets + 2 * nth + offset + 2 * (code - first)
            (glyph,) = struct.unpack_from(">H", data, at)
            if glyph and (glyph + delta) & 0xFFFF:
                yield code, code
