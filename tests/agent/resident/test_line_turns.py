"""Line tests by the schedule, under a clock in the test's hand."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from agent.common.calendar import CITY_TIME, Calendar
from agent.resident.line_turns import LineTurns, Plan
from agent.resident.schedule import PlannedTest, Who, windows
from agent.wire import LinePolicy, LineTest
from agent.wire.postponed import Postponed

WHO = Who("9963010001", "ab" * 16)
LINE = LinePolicy(line="甲", server="http://c:1")
PLAN = Plan((LINE,), Calendar())
DAY = dt.date(2026, 9, 7)
MORNING = dt.datetime.combine(DAY, dt.time(6), CITY_TIME)


class Turns:
    """LineTurns whose measurements are counted, with results that the test chooses."""

    def __init__(self, at_start: bool = False) -> None:
        self.outcome = "ok"
        self.measured = threading.Semaphore(0)
        self.done: list[LineTest] = []
        self.turns = LineTurns(
            WHO, self._measure, self.done.append, at_start=at_start, draw=lambda: 0.5
        )

    def _measure(self, planned: PlannedTest, left_s: float | None) -> LineTest | Postponed:
        if self.outcome == "crash":
            raise RuntimeError("no child")
        if self.outcome in ("busy", "enough", "later", "full"):
            return Postponed(self.outcome, 60)  # type: ignore[arg-type]
        return LineTest(test="t", line=planned.line.line, outcome=self.outcome)  # type: ignore[arg-type]

    def turn(self, now: dt.datetime) -> bool:
        """Take a turn; whether a test was run in it."""
        before = self.turns._thread
        self.turns.turn(now)
        thread = self.turns._thread
        if thread is None or thread is before:
            return False
        thread.join(120)
        return True


def test_no_offset_no_test() -> None:
    one = Turns(at_start=True)
    one.turns.plan(PLAN, None)
    one.turns.turn(None)
    assert one.turns.planned is None
    assert one.turns.wait(None) is None


def test_the_days_windows_are_each_served_once() -> None:
    one = Turns()
    one.turns.plan(PLAN, MORNING)
    for window in windows(DAY, LINE, Calendar(), WHO.school):
        one.turns.plan(PLAN, MORNING)
        planned = one.turns.planned
        assert planned is not None
        assert planned.window == window
        assert not one.turn(planned.time - dt.timedelta(seconds=1))
        assert one.turn(planned.time)
    assert len(one.done) == 4
    one.turns.plan(PLAN, MORNING)
    assert one.turns.planned is not None
    assert one.turns.planned.time.astimezone(CITY_TIME).date() == DAY + dt.timedelta(days=1)


def test_a_pc_that_slept_over_a_window_leaves_it_out() -> None:
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


@pytest.mark.parametrize("answer", ["busy", "later", "full"])
def test_a_line_that_is_not_ours_is_asked_again_and_reports_nothing(answer: str) -> None:
    one = Turns()
    one.outcome = answer
    one.turns.plan(PLAN, MORNING)
    first = one.turns.planned
    assert first is not None
    assert one.turn(first.time)
    again = one.turns.planned
    assert again is not None
    assert again.window == first.window
    assert again.time == first.time + dt.timedelta(seconds=60 * 1.25)
    one.outcome = "ok"
    assert one.turn(again.time)
    assert len(one.done) == 1


def test_enough_ends_the_window_without_a_word() -> None:
    one = Turns()
    one.outcome = "enough"
    one.turns.plan(PLAN, MORNING)
    first = one.turns.planned
    assert first is not None
    assert one.turn(first.time)
    one.turns.plan(PLAN, first.time)
    assert one.done == []
    assert one.turns.planned is not None
    assert one.turns.planned.window != first.window


def test_a_failed_test_is_tried_again_with_growing_pauses_until_its_window_closes() -> None:
    one = Turns()
    one.outcome = "unreachable"
    one.turns.plan(Plan((LINE,), Calendar(holidays=frozenset({DAY}))), MORNING)
    first = one.turns.planned
    assert first is not None
    window, pauses = first.window, []
    while one.turns.planned is not None and one.turns.planned.window == window:
        time = one.turns.planned.time
        assert one.turn(time)
        if one.turns.planned is not None:
            pauses.append((one.turns.planned.time - time).total_seconds())
    assert pauses[:2] == [300, 600]
    assert len(one.done) == len(pauses) + 1


@pytest.mark.parametrize("outcome", ["unreachable", "too_slow", "refused"])
def test_a_failed_test_is_reported(outcome: str) -> None:
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
    one.turns.plan(PLAN, MORNING)
    assert one.turns.planned is not None


def test_at_start_tests_once() -> None:
    one = Turns(at_start=True)
    one.turns.plan(PLAN, MORNING)
    assert one.turn(MORNING)
    assert not one.turn(MORNING + dt.timedelta(seconds=5))
    assert len(one.done) == 1
