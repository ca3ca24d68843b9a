"""Turns cells into values: one parser for each column type.

Pure. A parser gets tidied text (see `tidy`), never an empty one, and raises `UnfitError` with what
is wrong and the fix.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from agent.common.language import say
from collector.roster.problems import UnfitError
from collector.roster.sheets import words
from collector.roster.sheets.dates import parse_date, parse_dates
from collector.roster.sheets.kinds import parse_kind
from collector.roster.sheets.rates import parse_bandwidth
from collector.roster.sheets.texts import is_destroyed, says_nothing
from collector.roster.sheets.texts import plain as plain

MAX_TEXT = 200
_ROOM_SEPARATORS = re.compile(r"[、;；,，]")
_NETWORK_SEPARATORS = re.compile(r"[\s,;，；、]+")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E[+]?\d+", re.IGNORECASE)
_EXCEL_DATE = re.compile(
    r"\d{1,2}月\d{1,2}日|(?:\d{1,2}-)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:-\d{1,2})?"
    r"|(?:19|20)\d\d[-/年]\d{1,2}[-/月]\d{1,2}日?(?: 0?0:00(?::00)?)?"
)
_BREAKS = {"Cc", "Zl", "Zp"}
_COUNTED = re.compile(r"([0-9]{1,9})(?:\.0+)?\s*(?:台|间|套|个|座|位|人|件|只|部|块|张|名)?")


def parse_text(text: str) -> str:
    """Any words on one line."""
    if len(text) > MAX_TEXT:
        raise UnfitError(
            say(f"有 {len(text)} 个字，太长", f"is {len(text)} characters long"),
            say(f"缩到 {MAX_TEXT} 字以内；看引号是否配对", f"at most {MAX_TEXT}; check the quotes"),
        )
    if not text.isprintable() and any(unicodedata.category(c) in _BREAKS for c in text):
        raise UnfitError(
            say("里有换行或控制字符", "holds a line break or control character"),
            say("删去；若不是有意写的，看引号是否配对", "remove it; or check the quotes"),
        )
    if is_destroyed(text):
        raise UnfitError(
            say("有字在保存时丢了，变成了「?」", "has lost characters: they were saved as '?'"),
            say(
                "从原表重填，存为 .xlsx 或「CSV UTF-8」",
                "enter it again and save as .xlsx or 'CSV UTF-8'",
            ),
        )
    return text


def parse_name(text: str) -> str:
    """A name that other rows refer to."""
    text = parse_text(text)
    if says_nothing(text):
        raise UnfitError(
            say("不是名称，像是表示「没有」", "is no name, but stands for nothing"),
            say("填名称；没有这一项的删去这一行", "enter the name, or remove the row"),
        )
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


def parse_serial(text: str) -> str:
    """A serial number: any words, but none that lost digits."""
    text = parse_text(text)
    if _SCIENTIFIC.fullmatch(text) and "E+" in text.upper():
        raise UnfitError(*_scientific())
    return text


def parse_networks(text: str) -> str:
    """Addresses in CIDR notation; kept as `192.0.2.0/24, 2001:db8::/32`."""
    found = []
    for part in filter(None, _NETWORK_SEPARATORS.split(plain(text))):
        try:
            found.append(str(ipaddress.ip_network(part, strict=False)))
        except ValueError:
            raise UnfitError(
                say(f"里的 {part} 不是网段", f"holds {part}, which is no network"),
                say(
                    "写成 192.0.2.0/24，一个地址写 192.0.2.7，几个用「、」隔开",
                    "write 192.0.2.0/24, or one address, several parted by ;",
                ),
            ) from None
    return ", ".join(dict.fromkeys(found))


def _whole(most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        found = _COUNTED.fullmatch(plain(text))
        if not found or int(found[1]) > most:
            raise UnfitError(
                say(f"不是 0 到 {most} 的整数", f"is not a whole number from 0 to {most}"),
                say("只填数字，如 45", "enter digits only, such as 45"),
            )
        return int(found[1])

    return parse


def _degrees(most: int) -> Callable[[str], float]:
    def parse(text: str) -> float:
        shown = plain(text).removesuffix("°").rstrip("NE")
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
    if "\ufffd" in text or not text.isprintable():
        parse_text(text)  # says what is wrong; "??" is no lost text here, but any two letters
    return text.lower() if re.fullmatch("[0-9A-Fa-f]{32}", text) else text


_found = _word(words.FOUND, words.FOUND_ZH)
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
    "kind": parse_kind,
    "day_kind": _word(words.DAY_KINDS, words.DAY_KINDS_ZH),
    "pattern": parse_pattern,
    "serial": parse_serial,
    "networks": parse_networks,
    "indicator": _word(words.INDICATORS, words.INDICATORS_ZH),
    "act": _word(words.ACTS, words.ACTS_ZH),
    "found": _found,
    "yes_no": lambda text: _found(text) == "yes",
}
