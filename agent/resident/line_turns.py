"""The line tests of one agent: planned by the schedule, each run in a thread of its own.

The load itself is in a child process (`agent.probes.line.probe`), never in this one.
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
from agent.wire.messages import LinePolicy, LineTest, Postponed

#: A test that failed is tried again in its window, each time after twice as long. s
_AGAIN_S = 300.0

Measure = Callable[[PlannedTest, float | None], LineTest | Postponed]


class Plan(NamedTuple):
    """What may be tested, and when."""

    lines: tuple[LinePolicy, ...] = ()
    calendar: Calendar = Calendar()


class LineTurns:
    """Used by the runner's thread; `done` is called in a test's own."""

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
        """Follow a new plan; `now` is the corrected time, None where it is unknown."""
        if plan != self._plan:
            self._plan = plan
            self.planned = None
        self._choose(now)

    def _choose(self, now: dt.datetime | None) -> None:
        if now is None or self.planned is not None or self._running or not self._plan.lines:
            return
        if self._at_start:
            self._at_start = False
            self.planned = PlannedTest(now, self._plan.lines[0])
            return
        plan = self._plan
        self.planned = next_test(now, plan.lines, plan.calendar, self._who, self._served)

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
            if planned.window is None or planned.window.first(now) == now:
                self._begin(planned, now)
                return  # what comes next is known when it has ended
        self._choose(now)

    @property
    def running(self) -> bool:
        """Whether a test runs."""
        return self._running

    @property
    def _running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _begin(self, planned: PlannedTest, now: dt.datetime) -> None:
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
            self._serve(planned)
            return
        if isinstance(test, Postponed):
            self._postponed(planned, test, now)
            return
        if test.outcome == "ok":
            self._serve(planned)
        else:
            self._failed += 1
            self._again(planned, now, _AGAIN_S * 2 ** (self._failed - 1))
        self._done(test)

    def _postponed(self, planned: PlannedTest, said: Postponed, now: dt.datetime) -> None:
        """The line is another's just now: nothing was measured, so nothing is reported."""
        log.info("line_test_postponed", answer=said.answer, retry_s=said.retry_s)
        if said.answer == "enough":
            self._serve(planned)
        else:
            self._again(planned, now, said.retry_s * (1 + self._draw() / 2))

    def _again(self, planned: PlannedTest, now: dt.datetime, seconds: float) -> None:
        """The same test later, where its window allows."""
        window = planned.window
        time = now + dt.timedelta(seconds=seconds)
        first = time if window is None else window.first(time)
        if first is None or (window is None and self._failed):
            self._serve(planned)
        else:
            self.planned = planned._replace(time=first)

    def _serve(self, planned: PlannedTest) -> None:
        """This window needs nothing more of us."""
        self._failed = 0
        window = planned.window
        if window is not None:
            self._served = {one for one in self._served if one[0] >= window.day}
            self._served.add((window.day, planned.line.line, window.name))
