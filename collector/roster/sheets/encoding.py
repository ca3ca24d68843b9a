"""Decodes a sheet's bytes: UTF-8 with or without BOM, or GBK, as Excel in China saves. Pure.

Almost any bytes can be decoded as GB 18030, a damaged UTF-8 file too, which would give wrong
names. So a file is read as GBK only if most of its non-ASCII bytes are not valid UTF-8, or are
valid only by chance.
"""

from __future__ import annotations

import codecs
import contextlib

from agent.common.language import say
from collector.roster.problems import Problem

_REPLACED = "\ufffd"
#: The first character that takes three bytes in UTF-8; all Chinese ones are above it.
_THREE_BYTES = "\u0800"


def decode(file: str, data: bytes, fix: str) -> tuple[str, Problem | None]:
    """The text, or a problem with the row and column of the first byte that cannot be decoded."""
    try:
        text = data.decode("utf-8-sig")
        return text if not _utf8_by_chance(text) else _as_gbk(data) or text, None
    except UnicodeDecodeError as damaged:
        if _mostly_utf8(data):
            wrong = say(
                "里有不是 UTF-8 的字节，文件已损坏", "has bytes that are not UTF-8: damaged"
            )
            return "", _problem(file, data, damaged, wrong, fix)
    try:
        return data.decode("gb18030"), None
    except UnicodeDecodeError as error:
        wrong = say("既不是 UTF-8 也不是 GBK 编码", "is encoded in neither UTF-8 nor GBK")
        return "", _problem(file, data, error, wrong, fix)


def _utf8_by_chance(text: str) -> bool:
    """Whether text decoded as UTF-8 is probably GBK: 某小学 in GBK is valid UTF-8 by chance.

    Such text consists of two-byte characters, some of them from U+0100 to U+05FF. Latin letters
    and signs alone, or Arabic script as in Uighur, do not come from common words in GBK.
    """
    beyond = [c for c in text if c > "\x7f"]
    return any("\u0100" <= c < "\u0600" for c in beyond) and max(beyond) < _THREE_BYTES


def _as_gbk(data: bytes) -> str:
    """The data decoded as GBK; empty if it is not GBK or has a UTF-8 BOM."""
    with contextlib.suppress(UnicodeDecodeError):
        return "" if data.startswith(codecs.BOM_UTF8) else data.decode("gbk")
    return ""


def _mostly_utf8(data: bytes) -> bool:
    """Whether it is damaged UTF-8: in GBK, three bytes rarely form a valid UTF-8 character."""
    text = data.decode("utf-8-sig", "replace")
    return sum(c >= _THREE_BYTES and c != _REPLACED for c in text) > text.count(_REPLACED)


def _problem(file: str, data: bytes, error: UnicodeDecodeError, wrong: str, fix: str) -> Problem:
    before = data[: error.start]
    row, cell = before.count(b"\n"), before.rpartition(b"\n")[2].count(b",")
    headings = data.split(b"\n", 1)[0].decode(error.encoding, "replace").strip().split(",")
    named = row and cell < len(headings)
    return Problem(file, wrong, fix, row + 1, headings[cell].strip("\ufeff") if named else "")
