"""Open, lesson and quiet, with terms, holidays and make-up days."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common.calendar import CITY_TIME, Calendar, local_day, midnight_ns, start_of

# Autumn 2026, with a week of holiday and the Saturday worked for it.
AUTUMN = Calendar(
    terms=((dt.date(2026, 9, 1), dt.date(2027, 1, 15)),),
    holidays=frozenset(dt.date(2026, 10, day) for day in range(1, 8)),
    makeup=frozenset({dt.date(2026, 10, 10)}),
)
TIMES = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 12, 31)).map(
    lambda t: t.replace(tzinfo=CITY_TIME)
)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=CITY_TIME)


@pytest.mark.parametrize(
    ("time", "is_open", "is_lesson"),
    [
        ("2026-09-01T07:29:59", False, False),
        ("2026-09-01T07:30:00", True, False),
        ("2026-09-01T08:00:00", True, True),
        ("2026-09-01T12:00:00", True, False),
        ("2026-09-01T17:29:59", True, True),
        ("2026-09-01T18:00:00", False, False),
        ("2026-08-31T10:00:00", False, False),  # before the term
        ("2026-10-01T10:00:00", False, False),  # holiday
        ("2026-10-10T10:00:00", True, True),  # a Saturday worked
        ("2026-10-17T10:00:00", False, False),  # a Saturday
    ],
)
def test_hours(time: str, is_open: bool, is_lesson: bool) -> None:
    assert AUTUMN.is_open(at(time)) is is_open
    assert AUTUMN.is_lesson(at(time)) is is_lesson
    assert AUTUMN.is_quiet(at(time)) is not is_lesson


def test_the_city_s_day_decides_not_utc_s() -> None:
    # 23:30 UTC on Sunday is half past seven on Monday in the city.
    assert AUTUMN.is_open(dt.datetime(2026, 9, 6, 23, 30, tzinfo=dt.UTC))


def test_without_terms_any_weekday_is_a_candidate() -> None:
    assert Calendar().is_open_day(dt.date(2026, 7, 20))
    assert not Calendar().is_open_day(dt.date(2026, 7, 19))


def test_open_days_run_back_over_the_holiday() -> None:
    days = list(islice(AUTUMN.open_days_back(dt.date(2026, 10, 11)), 4))
    assert [day.isoformat() for day in days] == [
        "2026-10-10", "2026-10-09", "2026-10-08", "2026-09-30",
    ]  # fmt: skip


@given(TIMES)
def test_lessons_lie_in_open_hours_and_open_hours_on_open_days(t: dt.datetime) -> None:
    assert not AUTUMN.is_lesson(t) or AUTUMN.is_open(t)
    assert not AUTUMN.is_open(t) or AUTUMN.is_open_day(t.date())


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        (dt.datetime(2026, 12, 31, 15, 59, 59, tzinfo=dt.UTC), dt.date(2026, 12, 31)),
        (dt.datetime(2026, 12, 31, 16, 0, tzinfo=dt.UTC), dt.date(2027, 1, 1)),
    ],
)
def test_days_are_cut_at_local_midnight(utc: dt.datetime, day: dt.date) -> None:
    assert local_day(utc.timestamp()) == day


def test_a_day_stands_at_its_own_midnight() -> None:
    day = dt.date(2026, 12, 31)
    assert local_day(midnight_ns(day) // 10**9) == day
    assert local_day(midnight_ns(day) // 10**9 - 1) == dt.date(2026, 12, 30)
    assert start_of(day).timestamp() * 10**9 == midnight_ns(day)
