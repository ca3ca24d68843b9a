"""Turns cells into values: one parser for each column type.

Pure. A parser gets tidied text (see `tidy`), never an empty one, and raises `UnfitError` with what
is wrong and the fix.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from agent.common.language import say
from collector.roster.problems import UnfitError
from collector.roster.sheets import words

MAX_TEXT = 200
MAX_MBPS = 1_000_000.0
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_ROOM_SEPARATORS = re.compile(r"[、;；,，]")
_RANGE = re.compile(r"\s*(?:~|～|—+|–|至|到|\s-\s)\s*")
_DATE = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?(?:[ T]0?0:00(?::00)?)?")
_BARE_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E[+]?\d+", re.IGNORECASE)
_EXCEL_DATE = re.compile(
    r"\d{1,2}月\d{1,2}日|(?:\d{1,2}-)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:-\d{1,2})?"
)
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*(m|mb|mbps|mbit/s|mb/s|兆|g|gb|gbps|gbit/s|千兆)?")

#: Full-width letters and digits and odd spaces; Chinese punctuation in names stays.
_NARROW: dict[int, int | str | None] = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B))
}
_NARROW |= {code: code - 0xFEE0 for code in range(0xFF41, 0xFF5B)}
_NARROW |= dict.fromkeys((0x3000, 0xA0, 0x2002, 0x2003, 0x2009), " ")
_NARROW |= dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))


def tidy(text: str) -> str:
    """The cell without what Excel and input methods add: full-width letters, odd spaces, ="…"."""
    text = text.translate(_NARROW).strip()
    if text.startswith('="') and text.endswith('"'):  # so written, Excel keeps a code's zeros
        text = text[2:-1]
    return text.lstrip("' ").rstrip()


def plain(text: str) -> str:
    """NFKC: full-width punctuation becomes narrow too. For numbers, codes and dates."""
    return unicodedata.normalize("NFKC", text).strip()


def parse_text(text: str) -> str:
    """Any words on one line."""
    if len(text) > MAX_TEXT:
        raise UnfitError(
            say(f"有 {len(text)} 个字，太长", f"is {len(text)} characters long"),
            say(f"缩到 {MAX_TEXT} 字以内；看引号是否配对", f"at most {MAX_TEXT}; check the quotes"),
        )
    if any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in text):
        raise UnfitError(
            say("里有换行或控制字符", "holds a line break or control character"),
            say("删去；若不是有意写的，看引号是否配对", "remove it; or check the quotes"),
        )
    return text


def parse_name(text: str) -> str:
    """A name that other rows refer to."""
    text = parse_text(text)
    if text.endswith("\\"):  # no store can hold such a tag, so its evidence would be lost
        raise UnfitError(
            say("以反斜杠结尾，数据库存不了", "ends with a backslash, which no store can hold"),
            say("去掉它", "leave it out"),
        )
    if _SCIENTIFIC.fullmatch(text) and "E+" in text.upper():
        raise UnfitError(*_scientific())
    if _EXCEL_DATE.fullmatch(text):
        raise UnfitError(
            say("像是被 Excel 改成了日期", "looks like Excel made it a date"),
            say(
                "把该列设为「文本」再重填，如 6-1", "format the column as text, then enter it again"
            ),
        )
    return text


def parse_room(text: str) -> str:
    """A room's id; without separators, as classes list several rooms."""
    if _ROOM_SEPARATORS.search(text):
        raise UnfitError(
            say("里有分隔符（、；，）", "holds a separator (, ;)"),
            say("编号里不用这些符号，一行写一间", "ids without them, one room a row"),
        )
    return parse_name(text)


def parse_rooms(text: str) -> tuple[str, ...]:
    """Rooms of a class, in order, each once."""
    parts = (parse_name(part.strip()) for part in _ROOM_SEPARATORS.split(text) if part.strip())
    return tuple(dict.fromkeys(parts))


def parse_code(text: str) -> str:
    """A 10-digit 学校标识码: category (2), province (2), serial (6)."""
    text = plain(text)
    if re.fullmatch("[0-9]{10}", text):
        return text
    if _SCIENTIFIC.fullmatch(text):
        raise UnfitError(*_scientific())
    if re.fullmatch(r"[0-9]{10}\.0+", text):
        raise UnfitError(
            say("被表格软件当成了小数", "was made a decimal number by the spreadsheet"),
            say(f"把该列设为「文本」，填 {text[:10]}", f"format as text and enter {text[:10]}"),
        )
    raise UnfitError(*_not_ten(text))


def _not_ten(text: str) -> tuple[str, str]:
    if not re.fullmatch("[0-9]+", text):
        return (
            say("不是学校标识码", "is not a school code"),
            say("填 10 位数字的学校标识码", "enter the 10-digit 学校标识码"),
        )
    return (
        say(f"是 {len(text)} 位，学校标识码应为 10 位", f"has {len(text)} digits instead of 10"),
        say(
            "位数少了多半是 Excel 去掉了前导零：把该列设为「文本」再重填",
            "Excel drops leading zeros: format the column as text, then enter it again",
        ),
    )


def _scientific() -> tuple[str, str]:
    return (
        say(
            "被 Excel 改成了科学计数，原来的数字已丢失",
            "was turned into 1.1E+09 by Excel; digits are lost",
        ),
        say(
            "把该列设为「文本」，再从原始台账重填", "format the column as text, then enter it again"
        ),
    )


def parse_date(text: str) -> dt.date:
    """2026-09-01, 2026/9/1, 2026.9.1, 2026年9月1日 or 20260901."""
    shown = plain(text)
    found = _DATE.fullmatch(shown) or _BARE_DATE.fullmatch(shown)
    fix = say("写成 2026-09-01、2026/9/1 或 2026年9月1日", "write 2026-09-01 or 2026/9/1")
    if re.fullmatch(r"[1-9]\d{4}", shown):
        raise UnfitError(say("是 Excel 的日期序号", "is Excel's serial number of a date"), fix)
    if not found:
        raise UnfitError(say("不是日期", "is not a date"), fix)
    try:
        day = dt.date(*(int(part) for part in found.groups()))
    except ValueError:
        raise UnfitError(say("不是日历上的一天", "is not a day of the calendar"), fix) from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise UnfitError(say("年份不对", "has an odd year"), fix)
    return day


def parse_dates(text: str) -> tuple[dt.date, dt.date | None]:
    """A day, or first~last; the second is None if only one day is written."""
    parts = _RANGE.split(plain(text))
    if len(parts) > 2:
        raise UnfitError(
            say("不是一天也不是一段", "is neither a day nor a range"),
            say("写成 2026-02-15~2026-02-23", "write 2026-02-15~2026-02-23"),
        )
    first = parse_date(parts[0])
    return first, parse_date(parts[1]) if len(parts) == 2 else None


def parse_bandwidth(text: str) -> float:
    """A rate ≥ 0 in Mbit/s; the units M, 兆, G and 千兆 may be written."""
    found = _RATE.fullmatch(plain(text).casefold())
    if not found:
        raise UnfitError(
            say("不是带宽（≥ 0 的数）", "is not a rate (a number ≥ 0)"),
            say("填兆数，如 100；不知道则空", "enter Mbit/s, such as 100; empty: not known"),
        )
    giga = (found[2] or "").startswith(("g", "千"))
    rate = float(found[1]) * (1000 if giga else 1)
    if rate > MAX_MBPS:
        raise UnfitError(
            say("大得不可能", "is impossibly large"), say("单位是兆（Mbit/s）", "in Mbit/s")
        )
    return rate


def _whole(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,9})(?:\.0+)?", plain(text))
        if not found or int(found[1]) > most:
            raise UnfitError(
                say(f"不是 0 到 {most} 的整数", f"is not a whole number from 0 to {most}"),
                say("只填数字，如 45", "enter digits only, such as 45"),
            )
        return int(found[1])

    return parse


def _degrees(most: int) -> Callable[[str], float]:
    def parse(text: str) -> float:
        shown = plain(text)
        if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]{1,15})?", shown) or abs(float(shown)) > most:
            raise UnfitError(
                say(f"不是 -{most} 到 {most} 的度数", f"is not in degrees, -{most} to {most}"),
                say("填十进制度，如 36.6102", "decimal degrees, such as 36.6102"),
            )
        return float(shown)

    return parse


def _word(table: Mapping[str, str], zh: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """A parser of the table's words; `zh` has the Chinese names of its values."""

    def parse(text: str) -> str:
        key = plain(text).casefold().replace(" ", "")
        if key in table:
            return table[key]
        near = difflib.get_close_matches(key, table, 1)
        hint = say(f"是不是「{near[0]}」？", f"did you mean {near[0]!r}? ") if near else ""
        kept = dict.fromkeys(table.values())
        known = say("、".join((zh or {}).get(word, word) for word in kept), ", ".join(kept))
        raise UnfitError(
            say("不认识这个词", "is not a known word"),
            hint + say(f"可填：{known}", f"one of: {known}"),
        )

    return parse


def parse_room_type(text: str) -> str:
    """A known type, or the sheet's own word, as only 计算机教室 matters to the figure."""
    text = parse_text(text)
    return words.ROOM_TYPES.get(plain(text).casefold().replace(" ", ""), text)


def parse_pattern(text: str) -> str:
    """A machine id (32 hex digits, lower case) or a hostname pattern."""
    text = parse_text(text)
    return text.lower() if re.fullmatch("[0-9A-Fa-f]{32}", text) else text


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "text": parse_text,
    "name": parse_name,
    "code": parse_code,
    "school": plain,  # its form is checked with the reference, so that it is reported once
    "room": parse_room,
    "rooms": parse_rooms,
    "date": parse_date,
    "dates": parse_dates,
    "bandwidth": parse_bandwidth,
    "seats": _whole(2000),
    "count": _whole(10_000),
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "school_type": _word(words.SCHOOL_TYPES),
    "room_type": parse_room_type,
    "kind": _word(words.KINDS, words.KINDS_ZH),
    "day_kind": _word(words.DAY_KINDS, words.DAY_KINDS_ZH),
    "pattern": parse_pattern,
    "indicator": _word(words.INDICATORS, words.INDICATORS_ZH),
    "act": _word(words.ACTS, words.ACTS_ZH),
    "found": _word(words.FOUND, words.FOUND_ZH),
}
