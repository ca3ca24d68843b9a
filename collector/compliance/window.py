"""Which days count: the cut-off, and a school's window up to it. Pure.

A window begins with the 30th last open day, so its length depends on the calendar. It includes the
closed days in between: a test on a Sunday counts.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

from agent.common.calendar import Calendar
from collector.config import Figure as Settings

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The days `first` to `last`, both included; `open_days` of them were open."""

    first: dt.date
    last: dt.date
    open_days: int


def cutoff(settings: Settings, year: int, today: dt.date) -> dt.date:
    """The day up to which evidence counts.

    The setting if it is in `year`, else 31 December; at most today.

    Raises:
        ValueError: the year has not started yet.
    """
    if year > today.year:
        raise ValueError(f"{year} has not started yet")
    chosen = settings.cutoff
    if chosen is None or chosen.year != year:
        chosen = dt.date(year, 12, 31)
    return min(chosen, today)


class Windows:
    """The windows of one calendar; each is computed once and cached."""

    def __init__(self, calendar: Calendar, settings: Settings) -> None:
        self._calendar = calendar
        self._open_days = settings.open_days
        self._back = dt.timedelta(days=settings.calendar_days)
        self._first: dict[dt.date, dt.date] = {}

    def first(self, last: dt.date, opened: dt.date | None = None) -> dt.date:
        """The first day of the window that ends with `last`, not before the school opened."""
        if last not in self._first:
            self._first[last] = self._find(last)
        first = self._first[last]
        return first if opened is None else max(first, opened)

    def up_to(self, last: dt.date, opened: dt.date | None = None) -> Window:
        """The window that ends with `last`."""
        first = self.first(last, opened)
        days = (first + ONE_DAY * n for n in range((last - first).days + 1))
        return Window(first, last, sum(map(self._calendar.is_open_day, days)))

    def _find(self, last: dt.date) -> dt.date:
        bound = last - self._back
        back = itertools.takewhile(
            lambda day: day >= bound, (last - ONE_DAY * n for n in itertools.count())
        )
        found = list(itertools.islice(filter(self._calendar.is_open_day, back), self._open_days))
        return found[-1] if len(found) == self._open_days else bound


def months_after(day: dt.date, months: int) -> dt.date:
    """The same day some months later, or the last day of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return dt.date(day.year + years, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
