"""Open, lesson, quiet: what a school is doing at a time t. Pure.

An open day is a weekday in term that is no holiday, or a make-up day (调休). Where no term
is given, any weekday is a candidate. Hours are local to the city.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

#: China has had one time, and no summer time, since 1991: no time zone database is needed for it.
CITY_TIME = dt.timezone(dt.timedelta(hours=8), "Asia/Shanghai")

_NS = 1_000_000_000
Span = tuple[dt.time, dt.time]
_SATURDAY = 5


class Hours(Struct, frozen=True):
    """When a school is open and when it teaches, as [from, to) in local time."""

    open: Span = (dt.time(7, 30), dt.time(18, 0))
    lessons: tuple[Span, ...] = (
        (dt.time(8, 0), dt.time(12, 0)),
        (dt.time(14, 0), dt.time(17, 30)),
    )


class Calendar(Struct, frozen=True, dict=True):
    """Terms as [first, last] days, single holidays and make-up days."""

    terms: tuple[tuple[dt.date, dt.date], ...] = ()
    holidays: frozenset[dt.date] = frozenset()
    makeup: frozenset[dt.date] = frozenset()
    hours: Hours = Hours()

    def is_open_day(self, day: dt.date) -> bool:
        """Whether schools open at all on this day."""
        known = self._open_days
        if day not in known:
            known[day] = self._opens_on(day)
        return known[day]

    @cached_property
    def _open_days(self) -> dict[dt.date, bool]:
        """Each day that was asked for: a city's tests ask for few, and very often."""
        return {}

    def _opens_on(self, day: dt.date) -> bool:
        if day in self.makeup:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays and self.in_term(day)

    def in_term(self, day: dt.date) -> bool:
        """Whether the day lies in a term; every day does where no term is known."""
        return not self.terms or any(first <= day <= last for first, last in self.terms)

    def is_open(self, t: dt.datetime) -> bool:
        """Whether schools are open at `t` (aware)."""
        local = t.astimezone(CITY_TIME)
        return self.is_open_day(local.date()) and _within(self.hours.open, local.time())

    def is_lesson(self, t: dt.datetime) -> bool:
        """Whether lessons run at `t` (aware)."""
        local = t.astimezone(CITY_TIME)
        if not self.is_open_day(local.date()):
            return False
        time = local.time()
        # Asked twice for each test of a year: a generator would take twice as long.
        for first, last in self.hours.lessons:  # noqa: SIM110
            if first <= time < last:
                return True
        return False

    def is_quiet(self, t: dt.datetime) -> bool:
        """Whether a test of the line disturbs no lesson at `t` (aware)."""
        return not self.is_lesson(t)

    def begins(self, start: dt.datetime, end: dt.datetime) -> bool:
        """Whether a lesson begins between two times (aware), at most a day apart."""
        days = {start.astimezone(CITY_TIME).date(), end.astimezone(CITY_TIME).date()}
        begin = [
            dt.datetime.combine(day, first, CITY_TIME)
            for day in days
            if self.is_open_day(day)
            for first, _ in self.hours.lessons
        ]
        return any(start < moment <= end for moment in begin)

    def open_days_back(self, last: dt.date) -> Iterator[dt.date]:
        """Open days from `last` backwards, without end: the caller bounds it."""
        day = last
        while True:
            if self.is_open_day(day):
                yield day
            day -= dt.timedelta(days=1)


def local_time(seconds: float) -> dt.datetime:
    """A time in s since 1970 UTC, in the city."""
    return dt.datetime.fromtimestamp(seconds, CITY_TIME)


def local_day(seconds: float) -> dt.date:
    """The city's day at a time in s since 1970 UTC."""
    return local_time(seconds).date()


def start_of(day: dt.date) -> dt.datetime:
    """The city's midnight that begins `day`."""
    return dt.datetime.combine(day, dt.time(), CITY_TIME)


def midnight_ns(day: dt.date) -> int:
    """Where a day's rows stand: the city's midnight that begins it, in ns since 1970 UTC."""
    return int(start_of(day).timestamp()) * _NS


def _within(span: Span, time: dt.time) -> bool:
    return span[0] <= time < span[1]
