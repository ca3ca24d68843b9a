"""A sheet's bytes to text: UTF-8 with or without its mark, or GBK as Excel in China saves. Pure.

Almost any bytes are text in GB 18030, a torn UTF-8 file too: its names would come in as other
names. So it is taken for GBK only where most of what is not ASCII is no UTF-8, or is such by
chance.
"""

from __future__ import annotations

import codecs
import contextlib

from agent.common.language import say
from collector.roster.problems import Problem

_REPLACED = "\ufffd"
#: The first character that UTF-8 writes in three bytes; all Chinese ones lie beyond.
_THREE_BYTES = "\u0800"


def decode(file: str, data: bytes, mend: str) -> tuple[str, Problem | None]:
    """The text, or the first byte that is none: its row, and its column's heading."""
    try:
        text = data.decode("utf-8-sig")
        return text if not _chance(text) else _as_gbk(data) or text, None
    except UnicodeDecodeError as torn:
        if _mostly_utf8(data):
            wrong = say(
                "里有不是 UTF-8 的字节，文件已损坏", "holds bytes that are no UTF-8: damaged"
            )
            return "", _problem(file, data, torn, wrong, mend)
    try:
        return data.decode("gb18030"), None
    except UnicodeDecodeError as error:
        wrong = say("既不是 UTF-8 也不是 GBK 编码", "is encoded in neither UTF-8 nor GBK")
        return "", _problem(file, data, error, wrong, mend)


def _chance(text: str) -> bool:
    """Whether it is GBK that reads so by chance: each letter of 某小学 is UTF-8 of two bytes.

    Of Latin letters and signs, and of Arabic ones as in Uighur, GBK's common words are not made.
    """
    beyond = [c for c in text if c > "\x7f"]
    return any("\u0100" <= c < "\u0600" for c in beyond) and max(beyond) < _THREE_BYTES


def _as_gbk(data: bytes) -> str:
    """Empty where it is none, as with the mark of UTF-8."""
    with contextlib.suppress(UnicodeDecodeError):
        return "" if data.startswith(codecs.BOM_UTF8) else data.decode("gbk")
    return ""


def _mostly_utf8(data: bytes) -> bool:
    """In GBK text many two bytes, but few three, happen to be a character of UTF-8."""
    text = data.decode("utf-8-sig", "replace")
    return sum(c >= _THREE_BYTES and c != _REPLACED for c in text) > text.count(_REPLACED)


def _problem(file: str, data: bytes, error: UnicodeDecodeError, wrong: str, mend: str) -> Problem:
    before = data[: error.start]
    row, cell = before.count(b"\n"), before.rpartition(b"\n")[2].count(b",")
    headings = data.split(b"\n", 1)[0].decode(error.encoding, "replace").strip().split(",")
    named = row and cell < len(headings)
    return Problem(file, wrong, mend, row + 1, headings[cell].strip("\ufeff") if named else "")
