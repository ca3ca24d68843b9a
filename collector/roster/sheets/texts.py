"""Texts as they come out of spreadsheets, and names in comparable form. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: Full-width letters and digits and odd spaces; Chinese punctuation in names stays.
_NARROW: dict[int, int | str | None] = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B))
}
_NARROW |= {code: code - 0xFEE0 for code in range(0xFF41, 0xFF5B)}
_NARROW |= dict.fromkeys((0x3000, 0xA0, 0x202F, 0x205F, *range(0x2000, 0x200B)), " ")
#: Marks without a shape: of direction (U+202D comes with numbers that Windows' calculator and
#: certificates give), zero width, soft hyphens. They come with texts that were copied.
_NARROW |= dict.fromkeys((
    0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070),
    0xFEFF, *range(0xFFF9, 0xFFFC), 0xFFFE, 0xFFFF,
))  # fmt: skip
_ERRORS = re.compile(r"#(?:REF!|N/A|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|#{2,})")
_LOST = re.compile(r"\ufffd|\?{2,}|[\u4e00-\u9fff]\?+(?=[^\s?])|^\?+(?=[\u4e00-\u9fff])")
#: What people write into a cell that has nothing to say.
NOTHING = frozenset({"/", "\\", "-", "--", "---", "—", "——", "–", "／", "无", "暂无", "n/a", "na"})
_DROPPED = re.compile(r"(?:[\s()\[\]{}<>【】〔〕「」《》第号#_]|年级)+")
_PARTING = re.compile(rf"(?<=\d){_DROPPED.pattern}(?=\d)")


def tidy(text: str) -> str:
    """The cell without what Excel and input methods add: full-width letters, odd spaces, ="…"."""
    if not text.isascii():
        text = text.translate(_NARROW)
    text = text.strip()
    if text.startswith('="') and text.endswith('"'):  # so written, Excel keeps a code's zeros
        text = text[2:-1]
    return text.lstrip("' ").rstrip()


def plain(text: str) -> str:
    """NFKC: full-width punctuation becomes narrow too. For numbers, codes and dates."""
    return unicodedata.normalize("NFKC", text).strip()


@lru_cache(maxsize=65_536)
def folded(name: str) -> str:
    """A name in the form by which two spellings of one are known.

    七（1）班, 七(1)班, 七 1 班 and 七年级1班 are one, as are 第3机房 and 3号机房. Between
    two digits something is kept, as 1（1）班 is not 11班.
    """
    text = _PARTING.sub("-", plain(name).casefold())
    return _DROPPED.sub("", text) or text


def is_error(text: str) -> bool:
    """Whether it is a spreadsheet's error value, or ### as a narrow column shows."""
    return text.startswith("#") and _ERRORS.fullmatch(text) is not None


def is_destroyed(text: str) -> bool:
    """Whether characters were lost when it was saved: 李家?小学, ????小学, or U+FFFD."""
    return ("?" in text or "\ufffd" in text) and _LOST.search(text) is not None


def says_nothing(text: str) -> bool:
    """Whether it only stands for an empty cell."""
    return text.casefold() in NOTHING
