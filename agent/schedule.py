"""When to report and when to test the line. Pure: the time is an argument.

Tests are drawn for a whole day from machine, line and day, so that a restart draws the same
ones again and tests nothing twice.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Literal, NamedTuple

from agent.wire.calendar import CITY_TIME, Calendar
from agent.wire.messages import LinePolicy

#: Reports of a fleet must not drift into step: each wait is drawn within ± this share.
_JITTER = 0.1

Kind = Literal["quiet", "lesson", "any"]
_Span = tuple[dt.time, dt.time]


class PlannedTest(NamedTuple):
    """One test to come, at `time` (aware)."""

    time: dt.datetime
    kind: Kind
    line: LinePolicy


def next_report(last: float, period: float, draw: Callable[[], float]) -> float:
    """The time after `last` at which the next report leaves, in the unit of both.

    `draw` gives a number in [0, 1).
    """
    return last + period * (1 - _JITTER + 2 * _JITTER * draw())


def day_tests(
    day: dt.date, line: LinePolicy, calendar: Calendar, machine: str
) -> list[PlannedTest]:
    """The day's tests of a line by this machine, in order.

    Quiet ones lie in the hours when a PC is on and no lesson runs; lesson ones in lessons.
    """
    seed = f"{machine}/{line.line}/{day.isoformat()}"
    quiet = _draw_times(day, _quiet_spans(day, calendar), line.quiet_per_day, f"{seed}/q")
    lesson = _draw_times(day, _lesson_spans(day, calendar), line.lesson_per_day, f"{seed}/l")
    planned = [PlannedTest(time, "quiet", line) for time in quiet]
    planned += [PlannedTest(time, "lesson", line) for time in lesson]
    return sorted(planned, key=lambda test: test.time)


def next_test(
    now: dt.datetime, lines: tuple[LinePolicy, ...], calendar: Calendar, machine: str
) -> PlannedTest | None:
    """The first test after `now` (aware), today or tomorrow."""
    today = now.astimezone(CITY_TIME).date()
    days = (today, today + dt.timedelta(days=1))
    planned = [
        test
        for day in days
        for line in lines
        for test in day_tests(day, line, calendar, machine)
        if test.time > now
    ]
    return min(planned, key=lambda test: test.time, default=None)


def still_fits(kind: Kind, now: dt.datetime, calendar: Calendar) -> bool:
    """Whether a test of this kind may begin at `now`: the PC may have slept over its time."""
    if kind == "any":
        return True
    return calendar.is_lesson(now) if kind == "lesson" else calendar.is_quiet(now)


def _lesson_spans(day: dt.date, calendar: Calendar) -> list[_Span]:
    return list(calendar.hours.lessons) if calendar.is_open_day(day) else []


def _quiet_spans(day: dt.date, calendar: Calendar) -> list[_Span]:
    """The open hours less the lessons; on a closed day all of them."""
    begin, end = calendar.hours.open
    spans = []
    for first, last in sorted(_lesson_spans(day, calendar)):
        if begin < min(first, end):
            spans.append((begin, min(first, end)))
        begin = max(begin, last)
    if begin < end:
        spans.append((begin, end))
    return spans


def _draw_times(day: dt.date, spans: list[_Span], count: int, seed: str) -> list[dt.datetime]:
    """`count` times, evenly over the spans' whole length; one in each equal part of it."""
    edges = [(_seconds(first), _seconds(last)) for first, last in spans]
    length = sum(last - first for first, last in edges)
    if length <= 0:
        return []
    places = [(part + _share(f"{seed}/{part}")) / count for part in range(count)]
    return [_at(day, edges, length * place) for place in places]


def _share(seed: str) -> float:
    """A number in [0, 1) that the same seed always gives, on every version of Python."""
    digest = hashlib.blake2b(seed.encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def _seconds(time: dt.time) -> int:
    return time.hour * 3600 + time.minute * 60 + time.second


def _at(day: dt.date, edges: list[tuple[int, int]], into: float) -> dt.datetime:
    """The instant that lies `into` seconds of the spans, laid end to end."""
    for first, last in edges:
        if into < last - first:
            break
        into -= last - first
    midnight = dt.datetime.combine(day, dt.time(), CITY_TIME)
    # Through UTC: a wall clock must not be added to across a change of its offset.
    return (midnight.astimezone(dt.UTC) + dt.timedelta(seconds=first + into)).astimezone(CITY_TIME)
