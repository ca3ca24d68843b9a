"""The line tests of one agent: planned by the schedule, each run in a thread of its own.

The load itself is in a child process (`agent.probes.line`), never in this one.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
from collections.abc import Callable
from typing import NamedTuple

from agent.schedule import PlannedTest, next_test, still_fits
from agent.wire.calendar import Calendar
from agent.wire.messages import LinePolicy, LineTest

log = logging.getLogger(__name__)

#: Later than this after its time a test is left out: the PC slept. s
_LATE_S = 600.0
#: Another PC tests the line: wait this long, at most so often. s
_BUSY_S = 90.0
_BUSY_TRIES = 6

Measure = Callable[[LinePolicy], LineTest]


class Plan(NamedTuple):
    """What may be tested, and when."""

    lines: tuple[LinePolicy, ...] = ()
    calendar: Calendar = Calendar()


class LineTurns:
    """Used by the runner's thread; `done` is called in a test's own."""

    def __init__(
        self,
        machine: str,
        measure: Measure,
        done: Callable[[LineTest], None],
        *,
        at_start: bool = False,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.planned: PlannedTest | None = None
        self._machine = machine
        self._measure = measure
        self._done = done
        self._at_start = at_start
        self._draw = draw
        self._plan = Plan()
        self._busy = 0
        self._thread: threading.Thread | None = None

    def plan(self, plan: Plan, now: dt.datetime | None) -> None:
        """Follow a new plan; `now` is the corrected time, None where it is unknown."""
        if plan != self._plan:
            self._plan = plan
            self.planned = None
        self._choose(now)

    def _choose(self, now: dt.datetime | None) -> None:
        if now is None or self.planned is not None or not self._plan.lines:
            return
        if self._at_start:
            self._at_start = False
            self.planned = PlannedTest(now, "any", self._plan.lines[0])
            return
        self.planned = next_test(now, self._plan.lines, self._plan.calendar, self._machine)

    def wait(self, now: dt.datetime | None) -> float | None:
        """Seconds until `turn` is needed; None where nothing is planned, or a test runs."""
        if now is None or self.planned is None or self._running:
            return None
        return max(0.0, (self.planned.time - now).total_seconds())

    def turn(self, now: dt.datetime | None) -> None:
        """Begin the planned test when its time has come, and plan the next."""
        planned = self.planned
        if now is not None and planned is not None and planned.time <= now and not self._running:
            self.planned = None
            if self._fits(planned, now):
                self._begin(planned)
        self._choose(now)

    @property
    def _running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _fits(self, planned: PlannedTest, now: dt.datetime) -> bool:
        late = (now - planned.time).total_seconds() > _LATE_S
        return not late and still_fits(planned.kind, now, self._plan.calendar)

    def _begin(self, planned: PlannedTest) -> None:
        self._thread = threading.Thread(
            target=self._run, args=(planned,), name="line-test", daemon=True
        )
        self._thread.start()

    def _run(self, planned: PlannedTest) -> None:
        try:
            test = self._measure(planned.line)
        except Exception:  # a missing child program must not end the agent
            log.exception("line_test_failed")
            return
        if test.outcome == "busy":
            self._again(planned)
        else:
            self._busy = 0
            self._done(test)

    def _again(self, planned: PlannedTest) -> None:
        """The line belongs to another PC just now: nothing was measured, so nothing is said."""
        self._busy += 1
        if self._busy >= _BUSY_TRIES:
            self._busy = 0
            return
        wait = dt.timedelta(seconds=_BUSY_S * (0.5 + self._draw()))
        self.planned = planned._replace(time=planned.time + wait)
