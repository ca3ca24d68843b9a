"""When to report and to test: inside the windows, evenly, the same after a restart."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.schedule import day_tests, next_report, next_test, still_fits
from agent.wire import CITY_TIME, Calendar, LinePolicy

LINE = LinePolicy(line="主线", server="http://x:1")
MONDAY = dt.date(2026, 9, 7)
SATURDAY = dt.date(2026, 9, 12)
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))
MACHINES = st.text("0123456789abcdef", min_size=32, max_size=32)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), CITY_TIME)


@given(DAYS, MACHINES, st.integers(0, 20), st.integers(0, 20))
def test_tests_lie_in_their_windows(day: dt.date, machine: str, quiet: int, lesson: int) -> None:
    calendar = Calendar()
    line = LinePolicy(line="a", quiet_per_day=quiet, lesson_per_day=lesson)
    planned = day_tests(day, line, calendar, machine)
    begin, end = calendar.hours.open
    for test in planned:
        local = test.time.astimezone(CITY_TIME)
        assert local.date() == day
        assert begin <= local.time() <= end
        assert calendar.is_lesson(test.time) == (test.kind == "lesson")
        assert still_fits(test.kind, test.time, calendar)
    assert sum(test.kind == "quiet" for test in planned) == quiet
    open_day = calendar.is_open_day(day)
    assert sum(test.kind == "lesson" for test in planned) == (lesson if open_day else 0)
    assert [test.time for test in planned] == sorted(test.time for test in planned)


@given(DAYS, MACHINES)
def test_a_restart_draws_the_same_times(day: dt.date, machine: str) -> None:
    assert day_tests(day, LINE, Calendar(), machine) == day_tests(day, LINE, Calendar(), machine)


def test_machines_and_days_differ() -> None:
    draws = {
        test.time.astimezone(CITY_TIME).time()
        for machine in ("a" * 32, "b" * 32)
        for day in (MONDAY, MONDAY + dt.timedelta(days=1))
        for test in day_tests(day, LINE, Calendar(), machine)
    }
    assert len(draws) == 16


def test_all_quiet_hours_are_used() -> None:
    """Morning, noon and evening: the three spans of a school day outside lessons."""
    hours = {
        test.time.astimezone(CITY_TIME).hour
        for n in range(300)
        for test in day_tests(MONDAY, LINE, Calendar(), f"{n:032x}")
        if test.kind == "quiet"
    }
    assert hours == {7, 12, 13, 17}


def test_makeup_days_and_holidays() -> None:
    calendar = Calendar(holidays=frozenset({MONDAY}), makeup=frozenset({SATURDAY}))
    kinds = [test.kind for test in day_tests(MONDAY, LINE, calendar, "a" * 32)]
    assert kinds == ["quiet"] * 3
    assert "lesson" in [test.kind for test in day_tests(SATURDAY, LINE, calendar, "a" * 32)]


@given(DAYS, st.integers(0, 86_399), MACHINES)
def test_the_next_test_is_the_first_to_come(day: dt.date, second: int, machine: str) -> None:
    now = at(day, 0) + dt.timedelta(seconds=second)
    calendar = Calendar()
    found = next_test(now, (LINE,), calendar, machine)
    assert found is not None
    assert found.time > now
    earlier = [test for test in day_tests(day, LINE, calendar, machine) if now < test.time]
    assert not earlier or found == earlier[0]


def test_no_line_no_test() -> None:
    assert next_test(at(MONDAY, 8), (), Calendar(), "a" * 32) is None
    none = LinePolicy(line="a", quiet_per_day=0, lesson_per_day=0)
    assert next_test(at(MONDAY, 8), (none,), Calendar(), "a" * 32) is None


@pytest.mark.parametrize(
    ("kind", "hour", "fits"), [("quiet", 9, False), ("quiet", 13, True), ("lesson", 13, False)]
)
def test_a_pc_that_slept_does_not_test_at_the_wrong_hour(kind: str, hour: int, fits: bool) -> None:
    assert still_fits(kind, at(MONDAY, hour), Calendar()) is fits  # type: ignore[arg-type]
    assert still_fits("any", at(MONDAY, hour), Calendar())


@given(st.floats(0, 1e9), st.integers(5, 86_400), st.floats(0, 1, exclude_max=True))
def test_reports_are_jittered_around_their_period(last: float, period: int, drawn: float) -> None:
    wait = next_report(last, period, lambda: drawn) - last
    assert 0.9 * period - 1e-3 <= wait <= 1.1 * period + 1e-3
