"""A message in, an outcome out: points to store and the report to receipt. Pure.

Keeps nothing between messages, so any number of collectors may run it side by side. The topic
says who speaks and which report it is; a payload never overrides it. Only `line_record`, which
the measurement server alone may send, names the school it is about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from agent import wire
from agent.wire.topics import Topic
from collector.readings import agent_point, device_points, host_points, record_point, test_point
from collector.store.check import fault
from collector.store.seam import Point, Value

HeldReason = Literal["unknown_school", "future_version", "quarantine_full"]
Known = Callable[[str], bool]
#: Within a millisecond, in ns; see `wire.point_time`.
_SPREAD = 1_000_000
_QUARTER_MS = 900_000


class Source(NamedTuple):
    """Which report of whom, by its topic: what a receipt names."""

    school: str
    machine: str
    boot: str
    number: int


class Stored(NamedTuple):
    """Store `points`, then receipt. `day`: local day of the evidence, None where uncertain."""

    source: Source
    points: tuple[Point, ...]
    day: dt.date | None
    echo: int | None = None


class Answered(NamedTuple):
    """A hello: nothing to store; receipt it at once with its own clock's `echo`."""

    source: Source
    echo: int


class Held(NamedTuple):
    """Not now: the agent keeps it and tries again."""

    source: Source
    reason: HeldReason
    echo: int | None = None


class Quarantined(NamedTuple):
    """Can never be read. Without a source there is nobody to receipt."""

    source: Source | None
    reason: str


class Noted(NamedTuple):
    """Points that nobody waits a receipt for: a presence."""

    machine: str
    presence: wire.Presence
    points: tuple[Point, ...]


class Ignored(NamedTuple):
    """Nothing to keep, and why."""

    reason: str


Outcome = Stored | Answered | Held | Quarantined | Noted | Ignored


def decode(topic: str, payload: bytes, known: Known, now: int) -> Outcome:
    """What one message comes to.

    `known` tells whether the register has a school; `now` is the time in ns since 1970 UTC,
    used for presences alone. Raises nothing: what cannot be read is an outcome too.
    """
    try:
        place = wire.parse_topic(topic)
    except wire.TopicError as error:
        return Quarantined(None, f"topic: {error}")
    if place.channel == "presence":
        return _presence(place, payload, known, now)
    if place.channel != "report":
        return Ignored(f"{place.channel} is ours to send")
    return _report(Source(place.school, place.machine, place.boot, place.number), payload, known)


def _report(source: Source, payload: bytes, known: Known) -> Outcome:
    try:
        message = wire.decode_message(payload)
    except wire.FutureVersionError:
        return Held(source, "future_version")
    except wire.UnreadableError as error:
        return Quarantined(source, f"unreadable: {error}")
    if isinstance(message, wire.Hello):
        return _hello(source, message)
    # The measurement server is no school: the broker's ACL vouches for it.
    if source.school != wire.LINESERVER and not known(source.school):
        return Held(source, "unknown_school", message.sent)
    points = tuple(_apart(source, _points(source, message), message.time))
    reason = _foreign(source, message) or _unstorable(points)
    if reason:
        return Quarantined(source, f"unreadable: {reason}")
    return Stored(source, points, None if message.uncertain else day_of(message.time), message.sent)


def _hello(source: Source, hello: wire.Hello) -> Outcome:
    """Answered whatever the register says: a PC must learn the time before it can seal."""
    if source.number != 1:
        return Quarantined(source, f"a hello is report 1, not {source.number}")
    return Answered(source, hello.sent)


def _foreign(source: Source, report: wire.Report) -> str:
    """Why readings of this kind cannot come from this source; empty when they can."""
    server = source.school == wire.LINESERVER
    for reading in report.readings:
        if isinstance(reading, wire.LineRecord) and not server:
            return "a line_record from a school"
        if isinstance(reading, wire.LineTest) and server:
            return "a line_test from the measurement server"
    return ""


def _unstorable(points: tuple[Point, ...]) -> str:
    """Why no store can hold the evidence: a line's name is the one tag that agents write freely.

    Told here, before anything is stored: a report is stored or quarantined, never half of each.
    """
    return next(filter(None, (fault(point) for point in points if "line" in point.tags)), "")


def _points(source: Source, report: wire.Report) -> Iterator[Point]:
    """The points of a report, all at time 0."""
    tags = {"school": source.school, "machine": source.machine}
    common = _common(report)
    yield agent_point(tags, source.boot, source.number, report, common)
    yield from device_points(
        tags, [item for item in report.readings if isinstance(item, wire.Device)], common
    )
    for reading in report.readings:
        if isinstance(reading, wire.Host):
            yield from host_points(tags, reading, common)
        # An uncertain time is no evidence of any day: such readings are left out.
        elif isinstance(reading, wire.LineTest) and not report.uncertain:
            yield test_point(tags, reading, common)
        elif isinstance(reading, wire.LineRecord) and not report.uncertain:
            yield record_point(reading, common)


def _common(report: wire.Report) -> dict[str, Value]:
    marks: dict[str, Value] = {}
    if report.simulated:
        marks["simulated"] = True
    if report.uncertain:
        marks["uncertain"] = True
    return marks


def _apart(source: Source, points: Iterator[Point], millis: int) -> Iterator[Point]:
    """Give each point its time; two of one series in one report stand a nanosecond apart."""
    time = wire.point_time(millis, source.boot, source.number)
    start, spread = time - time % _SPREAD, time % _SPREAD
    seen: dict[tuple[str, ...], int] = {}
    for measurement, tags, fields, _ in points:
        series = measurement, *tags.values()
        nth = seen[series] = seen.get(series, -1) + 1
        yield Point(measurement, tags, fields, start + (spread + nth) % _SPREAD)


def _presence(place: Topic, payload: bytes, known: Known, now: int) -> Outcome:
    if not payload:
        return Ignored("a retained presence was cleared")
    try:
        presence = wire.decode_presence(payload)
    except wire.FutureVersionError as error:
        return Ignored(f"presence: {error}")
    except wire.UnreadableError as error:
        return Quarantined(None, f"unreadable: {error}")
    if place.school != wire.LINESERVER and not known(place.school):
        return Ignored("presence of an unknown school")
    fields: dict[str, Value] = {"boot": presence.boot, "online": presence.online}
    if presence.simulated:
        fields["simulated"] = True
    tags = {"school": place.school, "machine": place.machine}
    return Noted(place.machine, presence, (Point("presence", tags, fields, now),))


def day_of(millis: int) -> dt.date:
    """The local day (Asia/Shanghai) of a time in ms since 1970 UTC."""
    return _day_of_quarter(millis // _QUARTER_MS)


@lru_cache(maxsize=512)
def _day_of_quarter(quarter: int) -> dt.date:
    """Every midnight on earth falls on a quarter of an hour."""
    return dt.datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, wire.CITY_TIME).date()
