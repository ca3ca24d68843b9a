"""Simulated school years: terms, holidays and make-up days. Pure."""

from __future__ import annotations

import datetime as dt
import itertools

from agent.common.calendar import CITY_TIME, Calendar
from collector.roster.register import CalendarRow

#: Month and day, first to last. Holidays of the lunar calendar are left out.
_TERMS = (((3, 1), (7, 10)), ((8, 25), (12, 31)), ((1, 1), (1, 12)))
_HOLIDAYS = (((1, 1), (1, 1)), ((4, 4), (4, 6)), ((5, 1), (5, 5)), ((10, 1), (10, 7)))
_SATURDAY = 5


def calendar_rows(first: int, last: int) -> list[CalendarRow]:
    """The rows of the years `first` to `last`."""
    rows = []
    for each in range(first, last + 1):
        rows += [_row(each, span, "term") for span in _TERMS]
        rows += [_row(each, span, "holiday") for span in _HOLIDAYS]
        makeup = _saturday_after(dt.date(each, 10, 7))
        rows.append(CalendarRow(makeup, makeup, "makeup"))
    return rows


def open_days(calendar: Calendar, newest: dt.date, oldest: dt.date, least: int) -> list[dt.date]:
    """Open days from `newest` back to `oldest`, newest first (index is rank); at least `least`."""
    days = enumerate(calendar.open_days_back(newest))
    wanted = itertools.takewhile(lambda item: item[0] < least or item[1] >= oldest, days)
    return [day for _, day in wanted]


def moment_ms(day: dt.date, time: dt.time) -> int:
    """A local time of `day`, in ms since 1970 UTC."""
    return int(dt.datetime.combine(day, time, CITY_TIME).timestamp() * 1000)


def months_before(day: dt.date, months: int) -> dt.date:
    """The same day some months earlier, at most the 28th."""
    total = day.year * 12 + day.month - 1 - months
    return dt.date(total // 12, total % 12 + 1, min(day.day, 28))


def _row(year: int, span: tuple[tuple[int, int], tuple[int, int]], kind: str) -> CalendarRow:
    first, last = (dt.date(year, *ends) for ends in span)
    return CalendarRow(first, last, kind)


def _saturday_after(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=(_SATURDAY - day.weekday()) % 7)
