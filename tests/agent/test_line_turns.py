"""Line tests by the schedule, under a clock in the test's hand."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from agent.line_turns import LineTurns, Plan
from agent.schedule import day_tests
from agent.wire import CITY_TIME, Calendar, LinePolicy, LineTest

MACHINE = "ab" * 16
LINE = LinePolicy(line="甲", server="http://c:1")
PLAN = Plan((LINE,), Calendar())
DAY = dt.date(2026, 9, 7)
MORNING = dt.datetime.combine(DAY, dt.time(6), CITY_TIME)


class Turns:
    """LineTurns whose measuring is counted, and answers what it is told."""

    def __init__(self, at_start: bool = False) -> None:
        self.outcome = "ok"
        self.measured = threading.Semaphore(0)
        self.done: list[LineTest] = []
        self.turns = LineTurns(
            MACHINE, self._measure, self.done.append, at_start=at_start, draw=lambda: 0.5
        )

    def _measure(self, line: LinePolicy) -> LineTest:
        if self.outcome == "crash":
            raise RuntimeError("no child")
        return LineTest(test="t", line=line.line, outcome=self.outcome)  # type: ignore[arg-type]

    def turn(self, now: dt.datetime) -> bool:
        """Take a turn; whether a test was run in it."""
        before = self.turns._thread
        self.turns.turn(now)
        thread = self.turns._thread
        if thread is None or thread is before:
            return False
        thread.join(10)
        return True


def test_no_offset_no_test() -> None:
    one = Turns(at_start=True)
    one.turns.plan(PLAN, None)
    one.turns.turn(None)
    assert one.turns.planned is None
    assert one.turns.wait(None) is None


def test_the_days_tests_are_run_at_their_times() -> None:
    one = Turns()
    one.turns.plan(PLAN, MORNING)
    for test in day_tests(DAY, LINE, Calendar(), MACHINE):
        assert one.turns.planned == test
        assert not one.turn(test.time - dt.timedelta(seconds=1))
        assert one.turn(test.time)
    assert len(one.done) == 4
    assert one.turns.planned is not None
    assert one.turns.planned.time.astimezone(CITY_TIME).date() == DAY + dt.timedelta(days=1)


def test_a_pc_that_slept_over_a_test_leaves_it_out() -> None:
    one = Turns()
    one.turns.plan(PLAN, MORNING)
    evening = MORNING + dt.timedelta(hours=15)
    assert not one.turn(evening)
    assert one.turns.planned is not None
    assert one.turns.planned.time > evening


def test_a_new_policy_is_followed_at_once() -> None:
    one = Turns()
    one.turns.plan(PLAN, MORNING)
    one.turns.plan(Plan(), MORNING)
    assert one.turns.planned is None
    holiday = Plan((LINE,), Calendar(holidays=frozenset({DAY})))
    one.turns.plan(holiday, MORNING)
    assert one.turns.planned is not None
    assert one.turns.planned.kind == "quiet"


def test_a_busy_line_is_asked_again_and_reports_nothing() -> None:
    one = Turns()
    one.outcome = "busy"
    one.turns.plan(PLAN, MORNING)
    first = one.turns.planned
    assert first is not None
    assert one.turn(first.time)
    again = one.turns.planned
    assert again is not None
    assert again.time == first.time + dt.timedelta(seconds=90)
    one.outcome = "ok"
    assert one.turn(again.time)
    assert len(one.done) == 1


@pytest.mark.parametrize("outcome", ["unreachable", "too_slow", "refused"])
def test_a_failed_test_is_told(outcome: str) -> None:
    one = Turns(at_start=True)
    one.outcome = outcome
    one.turns.plan(PLAN, MORNING)
    assert one.turn(MORNING)
    assert [test.outcome for test in one.done] == [outcome]


def test_a_crash_in_measuring_ends_that_test_only() -> None:
    one = Turns(at_start=True)
    one.outcome = "crash"
    one.turns.plan(PLAN, MORNING)
    assert one.turn(MORNING)
    assert one.done == []
    assert one.turns.planned is not None


def test_at_start_tests_once() -> None:
    one = Turns(at_start=True)
    one.turns.plan(PLAN, MORNING)
    assert one.turn(MORNING)
    assert not one.turn(MORNING + dt.timedelta(seconds=5))
    assert len(one.done) == 1
