"""When to report and to test: inside the windows, evenly, the same after a restart."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.common.calendar import CITY_TIME, Calendar
from agent.resident.schedule import Who, next_report, next_test, windows
from agent.wire import LinePolicy

LINE = LinePolicy(line="主线", server="http://x:1")
ONE = LinePolicy(line="主线", server="http://x:1", quiet_per_day=1, lesson_per_day=0)
SCHOOL = "9963010001"
WHO = Who(SCHOOL, "a" * 32)
MONDAY = dt.date(2026, 9, 7)
SATURDAY = dt.date(2026, 9, 12)
DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))
MACHINES = st.text("0123456789abcdef", min_size=32, max_size=32)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), CITY_TIME)


@given(DAYS, st.integers(0, 20), st.integers(0, 20))
def test_windows_lie_in_their_hours_and_never_overlap(
    day: dt.date, quiet: int, lesson: int
) -> None:
    calendar = Calendar()
    line = LinePolicy(line="a", quiet_per_day=quiet, lesson_per_day=lesson)
    found = windows(day, line, calendar, SCHOOL)
    begin, end = calendar.hours.open
    for window in found:
        assert window.first(window.at) == window.at
        for first, last in window.spans:
            middle = first + (last - first) / 2
            assert first.astimezone(CITY_TIME).date() == day
            assert begin <= middle.astimezone(CITY_TIME).time() <= end
            assert calendar.is_lesson(middle) == (window.kind == "lesson")
    assert sum(window.kind == "quiet" for window in found) == quiet
    open_day = calendar.is_open_day(day)
    assert sum(window.kind == "lesson" for window in found) == (lesson if open_day else 0)
    spans = sorted(span for window in found for span in window.spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@given(DAYS)
def test_a_restart_draws_the_same_hours_on_every_pc(day: dt.date) -> None:
    assert windows(day, LINE, Calendar(), SCHOOL) == windows(day, LINE, Calendar(), SCHOOL)


def test_schools_and_days_differ() -> None:
    draws = {
        window.at.astimezone(CITY_TIME).time()
        for school in (SCHOOL, "9963010002")
        for day in (MONDAY, MONDAY + dt.timedelta(days=1))
        for window in windows(day, LINE, Calendar(), school)
    }
    assert len(draws) == 16


def test_all_quiet_hours_are_used() -> None:
    """Morning, noon and evening: the three spans of a school day outside lessons."""
    hours = {
        window.at.astimezone(CITY_TIME).hour
        for n in range(300)
        for window in windows(MONDAY, LINE, Calendar(), f"{n:010}")
        if window.kind == "quiet"
    }
    assert hours == {7, 12, 13, 17}


def test_makeup_days_and_holidays() -> None:
    calendar = Calendar(holidays=frozenset({MONDAY}), makeup=frozenset({SATURDAY}))
    kinds = [window.kind for window in windows(MONDAY, LINE, calendar, SCHOOL)]
    assert kinds == ["quiet"] * 3
    assert "lesson" in [window.kind for window in windows(SATURDAY, LINE, calendar, SCHOOL)]


@given(DAYS, MACHINES, st.integers(0, 23), st.integers(0, 59))
def test_the_next_test_is_the_earliest_open_window(
    day: dt.date, machine: str, hour: int, minute: int
) -> None:
    now = at(day, hour, minute)
    found = next_test(now, (LINE,), Calendar(), Who(SCHOOL, machine))
    assert found is not None
    assert found.window is not None
    assert found.time >= now
    assert found.window.first(found.time) == found.time
    assert found.time >= found.window.at


def test_a_pc_that_comes_late_still_asks_in_the_open_window() -> None:
    """The hour has passed, the window has not: the PC asks within minutes."""
    (window,) = windows(SATURDAY, ONE, Calendar(), SCHOOL)
    now = window.spans[-1][1] - dt.timedelta(minutes=10)
    found = next_test(now, (ONE,), Calendar(), Who(SCHOOL, "a" * 32))
    assert found is not None
    assert found.window == window
    assert (found.time - now).total_seconds() < 240


def test_pcs_of_a_line_ask_one_after_the_other() -> None:
    (window,) = windows(SATURDAY, ONE, Calendar(), SCHOOL)
    times = {
        found.time
        for n in range(100)
        if (found := next_test(at(SATURDAY, 0), (ONE,), Calendar(), Who(SCHOOL, f"{n:032x}")))
    }
    assert len(times) == 100
    assert all(0 <= (time - window.at).total_seconds() < 240 for time in times)


def test_a_served_window_is_left_out() -> None:
    first = next_test(at(MONDAY, 0), (LINE,), Calendar(), WHO)
    assert first is not None
    assert first.window is not None
    served = {(MONDAY, LINE.line, first.window.name)}
    second = next_test(at(MONDAY, 0), (LINE,), Calendar(), WHO, served)
    assert second is not None
    assert second.window != first.window


def test_no_line_no_test() -> None:
    assert next_test(at(MONDAY, 8), (), Calendar(), WHO) is None
    none = LinePolicy(line="a", quiet_per_day=0, lesson_per_day=0)
    assert next_test(at(MONDAY, 8), (none,), Calendar(), WHO) is None


@given(st.floats(0, 1e9), st.integers(5, 86_400), st.floats(0, 1, exclude_max=True))
def test_reports_are_jittered_around_their_period(last: float, period: int, drawn: float) -> None:
    wait = next_report(last, period, lambda: drawn) - last
    assert 0.9 * period - 1e-3 <= wait <= 1.1 * period + 1e-3
