"""Days and spans of days as people write them. Pure."""

from __future__ import annotations

import datetime as dt
import re

from agent.common.language import say
from collector.roster.problems import UnfitError
from collector.roster.sheets.texts import plain

_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_DAY = r"(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?[日号]?"
_MIDNIGHT = r"(?:[ T]0?0:00(?::00(?:\.0+)?)?)?"
_DATE = re.compile(_DAY + _MIDNIGHT)
_BARE_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_WEEKDAY = re.compile(r"\(?(?:周|星期|礼拜)[一二三四五六日天]\)?")
_TO = r"\s*(?:~|—+|–|-|至|到)\s*"
#: The last day may leave out the year, or year and month: 2026年2月15日至23日, 2026.2.15-2.23
_SPAN = re.compile(
    rf"({_DAY}{_MIDNIGHT}|\d{{8}}){_TO}"
    rf"({_DAY}{_MIDNIGHT}|\d{{8}}|(?:(\d{{1,2}})[-/.月])?(\d{{1,2}})[日号]?)"
)


def parse_date(text: str) -> dt.date:
    """2026-09-01, 2026/9/1, 2026.9.1, 2026年9月1日 or 20260901."""
    shown = _WEEKDAY.sub("", plain(text)).strip()
    found = _DATE.fullmatch(shown) or _BARE_DATE.fullmatch(shown)
    fix = say("写成 2026-09-01、2026/9/1 或 2026年9月1日", "write 2026-09-01 or 2026/9/1")
    if re.fullmatch(r"[1-9]\d{4}", shown):
        raise UnfitError(say("是 Excel 的日期序号", "is Excel's serial number of a date"), fix)
    if re.fullmatch(r"\d{4}(?:[-/.年](?:\d{1,2}月?)?)?", shown):
        raise UnfitError(say("没有写到日", "names no day"), fix)
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
    shown = _WEEKDAY.sub("", plain(text)).strip()
    found = _SPAN.fullmatch(shown)
    if found:
        first = parse_date(found[1])
        return first, parse_date(_completed(found, first))
    if re.search(r"[~—–至到]|\d\s+-\s+\d", shown):
        raise UnfitError(
            say("不是一天也不是一段", "is neither a day nor a range"),
            say("写成 2026-02-15~2026-02-23", "write 2026-02-15~2026-02-23"),
        )
    return parse_date(shown), None


def _completed(found: re.Match[str], first: dt.date) -> str:
    """The last day, with what it takes from the first."""
    month, day = found[9], found[10]
    if day is None:
        return found[5]
    return f"{first.year}-{int(month) if month else first.month}-{int(day)}"
