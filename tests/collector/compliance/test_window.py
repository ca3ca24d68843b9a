"""Window and days."""

from __future__ import annotations

import datetime as dt

import pytest

from agent.common.calendar import Calendar
from collector.compliance.window import Windows, cutoff, months_after
from collector.config import Figure as Settings

DAY = dt.date


@pytest.mark.parametrize(
    ("chosen", "year", "today", "last"),
    [
        (None, 2025, DAY(2026, 11, 24), DAY(2025, 12, 31)),  # default 31 December
        (None, 2026, DAY(2026, 11, 24), DAY(2026, 11, 24)),  # today, in the current year
        (DAY(2026, 10, 31), 2026, DAY(2026, 11, 24), DAY(2026, 10, 31)),
        (DAY(2026, 12, 1), 2026, DAY(2026, 11, 24), DAY(2026, 11, 24)),
        (DAY(2026, 10, 31), 2025, DAY(2026, 11, 24), DAY(2025, 12, 31)),  # another year's
    ],
)
def test_cutoff(chosen: dt.date | None, year: int, today: dt.date, last: dt.date) -> None:
    assert cutoff(Settings(cutoff=chosen), year, today) == last


def test_no_cutoff_in_a_year_to_come() -> None:
    with pytest.raises(ValueError, match="2027"):
        cutoff(Settings(), 2027, DAY(2026, 11, 24))


def test_without_a_calendar_open_days_are_weekdays() -> None:
    window = Windows(Calendar(), Settings()).up_to(DAY(2026, 12, 31))
    assert (window.first, window.open_days) == (DAY(2026, 11, 20), 30)


def test_holidays_lengthen_and_makeup_days_shorten_it() -> None:
    holidays = frozenset({DAY(2026, 12, 30), DAY(2026, 12, 29), DAY(2026, 12, 28)})
    calendar = Calendar(holidays=holidays, makeup=frozenset({DAY(2026, 12, 27)}))
    window = Windows(calendar, Settings()).up_to(DAY(2026, 12, 31))
    assert (window.first, window.open_days) == (DAY(2026, 11, 18), 30)


def test_a_cutoff_in_the_holidays_looks_back_to_the_term() -> None:
    calendar = Calendar(terms=((DAY(2026, 3, 1), DAY(2026, 7, 10)),))
    window = Windows(calendar, Settings()).up_to(DAY(2026, 8, 20))
    assert (window.first, window.open_days) == (DAY(2026, 6, 1), 30)


def test_at_most_120_calendar_days_back() -> None:
    calendar = Calendar(terms=((DAY(2026, 1, 1), DAY(2026, 5, 8)),))
    window = Windows(calendar, Settings()).up_to(DAY(2026, 8, 31))
    assert (DAY(2026, 8, 31) - window.first).days == 120
    assert window.open_days == 5


def test_a_school_has_no_window_before_it_opened() -> None:
    windows = Windows(Calendar(), Settings())
    assert windows.up_to(DAY(2026, 12, 31), DAY(2026, 12, 21)).open_days == 9


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (DAY(2025, 12, 31), 12, DAY(2026, 12, 31)),
        (DAY(2024, 2, 29), 12, DAY(2025, 2, 28)),
        (DAY(2025, 8, 31), 6, DAY(2026, 2, 28)),
        (DAY(2025, 3, 31), 1, DAY(2025, 4, 30)),
    ],
)
def test_months_after(day: dt.date, months: int, later: dt.date) -> None:
    assert months_after(day, months) == later
