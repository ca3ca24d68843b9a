"""When to report and when to test the line. Pure: the time is an argument.

A day's quiet hours, and its lessons, are each divided into as many equal windows as tests are
wanted. Each window has a start time, derived from a hash of school, line and day, so it is the
same on every PC of the line and after every restart. Each PC asks for the test up to four minutes
after that (a hash of its id), or as soon as it is on; the measurement server grants one test per
window. So a line gets its number of tests however many PCs are on, and no PC needs to know of
another.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Container, Iterator
from typing import Literal, NamedTuple

from agent.common.calendar import CITY_TIME, Calendar, start_of
from agent.wire.messages import LinePolicy

#: Each wait varies by ± this share, so that the PCs of a fleet do not report in step.
_JITTER = 0.1
#: The PCs of a line ask within this time after the window's start time, s.
_STAGGER_S = 240.0
#: The start time lies in this first part of its window; the rest is left for retries.
_EARLY = 0.75

Kind = Literal["quiet", "lesson", "any"]
_Span = tuple[dt.time, dt.time]


class Who(NamedTuple):
    """The school and the PC that the tests are planned for."""

    school: str
    machine: str


class Window(NamedTuple):
    """A part of a day in which one test is wanted: its start time, and when tests may run."""

    name: str  # "q0", "q1", ... outside lessons, "l0", ... in lessons
    day: dt.date
    at: dt.datetime
    spans: tuple[tuple[dt.datetime, dt.datetime], ...]  # [from, to), aware

    @property
    def kind(self) -> Kind:
        """Whether it lies in lessons or outside."""
        return "quiet" if self.name.startswith("q") else "lesson"

    def first(self, t: dt.datetime) -> dt.datetime | None:
        """The first time from `t` on at which a test may begin; None where the window is over."""
        return next((max(t, begin) for begin, end in self.spans if t < end), None)

    def left_s(self, now: dt.datetime) -> float:
        """Seconds until it closes."""
        return max(0.0, (self.spans[-1][1] - now).total_seconds())


class PlannedTest(NamedTuple):
    """A test planned at `time` (aware); without a window it runs at any hour."""

    time: dt.datetime
    line: LinePolicy
    window: Window | None = None

    @property
    def kind(self) -> Kind:
        """In lessons, outside, or at any time."""
        return "any" if self.window is None else self.window.kind


def next_report(last: float, period: float, draw: Callable[[], float]) -> float:
    """The time after `last` at which the next report leaves, in the unit of both.

    `draw` gives a number in [0, 1).
    """
    return last + period * (1 - _JITTER + 2 * _JITTER * draw())


def windows(day: dt.date, line: LinePolicy, calendar: Calendar, school: str) -> list[Window]:
    """The day's windows of a line, by start time."""
    seed = f"{school}/{line.line}/{day.isoformat()}"
    quiet = _divide(day, "q", _quiet_spans(day, calendar), line.quiet_per_day, seed)
    lesson = _divide(day, "l", _lesson_spans(day, calendar), line.lesson_per_day, seed)
    return sorted([*quiet, *lesson], key=lambda window: window.at)


def next_test(
    now: dt.datetime,
    lines: tuple[LinePolicy, ...],
    calendar: Calendar,
    who: Who,
    served: Container[tuple[dt.date, str, str]] = (),
) -> PlannedTest | None:
    """The first test from `now` (aware) on, today or tomorrow; None where there is none.

    `served` holds (day, line, window) of the windows that need no more tests.
    """
    today = now.astimezone(CITY_TIME).date()
    planned = [
        test
        for day in (today, today + dt.timedelta(days=1))
        for line in lines
        for window in windows(day, line, calendar, who.school)
        if (day, line.line, window.name) not in served
        and (test := _planned(now, line, window, who.machine)) is not None
    ]
    return min(planned, key=lambda test: test.time, default=None)


def _planned(
    now: dt.datetime, line: LinePolicy, window: Window, machine: str
) -> PlannedTest | None:
    """The test of a window: at its start time, or now if that is past, plus this PC's delay."""
    share = _share(f"{machine}/{window.day.isoformat()}/{window.name}")
    delay = dt.timedelta(seconds=_STAGGER_S * share)
    time = window.first(max(window.at, now) + delay)
    return None if time is None else PlannedTest(time, line, window)


def _lesson_spans(day: dt.date, calendar: Calendar) -> list[_Span]:
    return list(calendar.hours.lessons) if calendar.is_open_day(day) else []


def _quiet_spans(day: dt.date, calendar: Calendar) -> list[_Span]:
    """The open hours without the lessons; on a closed day all open hours."""
    begin, end = calendar.hours.open
    spans = []
    for first, last in sorted(_lesson_spans(day, calendar)):
        if begin < min(first, end):
            spans.append((begin, min(first, end)))
        begin = max(begin, last)
    if begin < end:
        spans.append((begin, end))
    return spans


def _divide(day: dt.date, name: str, spans: list[_Span], count: int, seed: str) -> list[Window]:
    """Divide the spans, laid end to end, into `count` windows of equal length."""
    spans_s = [(_seconds(first), _seconds(last)) for first, last in spans]
    length = sum(last - first for first, last in spans_s)
    if length <= 0:
        return []
    found = []
    for number in range(count):
        begin, end = length * number / count, length * (number + 1) / count
        start = begin + (end - begin) * _EARLY * _share(f"{seed}/{name}{number}")
        at = _instant(day, _second_of_day(spans_s, start))
        found.append(Window(f"{name}{number}", day, at, tuple(_part(day, spans_s, begin, end))))
    return found


def _part(
    day: dt.date, spans_s: list[tuple[int, int]], begin: float, end: float
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The times from `begin` to `end`, in seconds into the spans laid end to end."""
    before = 0.0
    for first, last in spans_s:
        low, high = max(begin, before), min(end, before + last - first)
        if low < high:
            yield _instant(day, first + low - before), _instant(day, first + high - before)
        before += last - first


def _share(seed: str) -> float:
    """A number in [0, 1), the same for the same seed on every version of Python."""
    digest = hashlib.blake2b(seed.encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def _seconds(time: dt.time) -> int:
    return time.hour * 3600 + time.minute * 60 + time.second


def _second_of_day(spans_s: list[tuple[int, int]], into: float) -> float:
    """The second of the day at `into` seconds into the spans laid end to end."""
    for first, last in spans_s:
        if into < last - first:
            break
        into -= last - first
    return first + into


def _instant(day: dt.date, second: float) -> dt.datetime:
    # Through UTC: a wall clock must not be added to across a change of its offset.
    return (start_of(day).astimezone(dt.UTC) + dt.timedelta(seconds=second)).astimezone(CITY_TIME)
