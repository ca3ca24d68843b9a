"""The line tests of one agent: planned by the schedule, each in a thread of its own.

The load runs in a child process (`agent.probes.line.probe`), never in this one.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Callable
from typing import NamedTuple

from agent.common import log
from agent.common.calendar import Calendar
from agent.resident.schedule import PlannedTest, Who, next_test
from agent.wire.messages import LinePolicy, LineTest
from agent.wire.postponed import Postponed

#: Wait before a failed test is retried in its window, doubled each time, s.
_RETRY_S = 300.0

Measure = Callable[[PlannedTest, float | None], LineTest | Postponed]


class Plan(NamedTuple):
    """Which lines are tested, and the calendar for it."""

    lines: tuple[LinePolicy, ...] = ()
    calendar: Calendar = Calendar()


class LineTurns:
    """Plans and runs the tests. Used in the runner's thread; `done` is called in a test's own."""

    def __init__(
        self,
        who: Who,
        measure: Measure,
        done: Callable[[LineTest], None],
        *,
        at_start: bool = False,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.planned: PlannedTest | None = None
        self._who = who
        self._measure = measure
        self._done = done
        self._at_start = at_start
        self._draw = draw
        self._plan = Plan()
        self._failed = 0
        self._served: set[tuple[dt.date, str, str]] = set()
        self._thread: threading.Thread | None = None

    def plan(self, plan: Plan, now: dt.datetime | None) -> None:
        """Use this plan from now on; `now` is the corrected time, None where unknown."""
        if plan != self._plan:
            self._plan = plan
            self.planned = None
        self._plan_next(now)

    def _plan_next(self, now: dt.datetime | None) -> None:
        if now is None or self.planned is not None or self.running or not self._plan.lines:
            return
        if self._at_start:
            self._at_start = False
            self.planned = PlannedTest(now, self._plan.lines[0])
            return
        plan = self._plan
        self.planned = next_test(now, plan.lines, plan.calendar, self._who, self._served)

    def wait(self, now: dt.datetime | None) -> float | None:
        """Seconds until `turn` is needed; None where nothing is planned, or a test runs."""
        if now is None or self.planned is None or self.running:
            return None
        return max(0.0, (self.planned.time - now).total_seconds())

    def turn(self, now: dt.datetime | None) -> None:
        """Start the planned test if it is due; else plan the next one."""
        planned = self.planned
        if now is not None and planned is not None and planned.time <= now and not self.running:
            self.planned = None
            if planned.window is None or planned.window.first(now) == now:
                self._start(planned, now)
                return  # the next one is planned when this one has ended
        self._plan_next(now)

    @property
    def running(self) -> bool:
        """Whether a test is running."""
        return self._thread is not None and self._thread.is_alive()

    def _start(self, planned: PlannedTest, now: dt.datetime) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(planned, now), name="line-test", daemon=True
        )
        self._thread.start()

    def _run(self, planned: PlannedTest, now: dt.datetime) -> None:
        left = None if planned.window is None else planned.window.left_s(now)
        try:
            test = self._measure(planned, left)
        except Exception as error:  # a missing child program must not end the agent
            log.error("line_test_failed", reason=error, at=log.where(error))
            self._finish_window(planned)
            return
        if isinstance(test, Postponed):
            self._postponed(planned, test, now)
            return
        if test.outcome == "ok":
            self._finish_window(planned)
        else:
            self._failed += 1
            self._retry(planned, now, _RETRY_S * 2 ** (self._failed - 1))
        self._done(test)

    def _postponed(self, planned: PlannedTest, said: Postponed, now: dt.datetime) -> None:
        """The server granted no test: nothing was measured, so nothing is reported."""
        log.info("line_test_postponed", answer=said.answer, retry_s=said.retry_s)
        if said.answer == "enough":
            self._finish_window(planned)
        else:
            self._retry(planned, now, said.retry_s * (1 + self._draw() / 2))

    def _retry(self, planned: PlannedTest, now: dt.datetime, seconds: float) -> None:
        """Plan the same test again in `seconds`, if its window is still open then."""
        window = planned.window
        time = now + dt.timedelta(seconds=seconds)
        first = time if window is None else window.first(time)
        if first is None or (window is None and self._failed):
            self._finish_window(planned)
        else:
            self.planned = planned._replace(time=first)

    def _finish_window(self, planned: PlannedTest) -> None:
        """Mark the test's window as done: it gets no more tests from this PC."""
        self._failed = 0
        window = planned.window
        if window is not None:
            self._served = {one for one in self._served if one[0] >= window.day}
            self._served.add((window.day, planned.line.line, window.name))
