"""Decodes a message into an outcome: points to store, and the report to receipt. Pure.

Keeps nothing between messages, so any number of collectors may run it in parallel. The topic gives
the sender and the report's number; the payload never overrides them. Only a `line_record`, which
the measurement server alone may send, names the school it is about in its payload.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from agent import wire
from agent.wire.topics import Topic
from collector.ingest.bounds import Bounds, beyond
from collector.ingest.points import (
    Frame,
    agent_point,
    device_points,
    host_point,
    record_point,
    test_point,
    without_zeros,
)
from collector.store import Point, Value
from collector.store.check import fault

Known = Callable[[str], bool]
#: Report times differ within a millisecond, ns; see `wire.point_time`.
_SPREAD = 1_000_000
_QUARTER_MS = 900_000
#: How JSON writes a zero byte in a text: the only way that msgspec reads.
_ZERO = rb"\u0000"
_EVIDENCE = {wire.LineTest, wire.LineRecord}


class Source(Struct, frozen=True, gc=False):
    """The sender and number of a report, from its topic, as receipts name it."""

    school: str
    machine: str
    boot: str
    number: int


class Stored(Struct, frozen=True, gc=False):
    """Store `points`, then receipt. `day`: the report's local day, None if uncertain."""

    source: Source
    points: Sequence[Point]
    day: dt.date | None
    echo: int | None = None


class Answered(NamedTuple):
    """A hello: nothing to store; receipt it at once. `echo`: the sender's clock, to send back.

    `credential` and `ca`: which generation it logged in with, and the CA file that it trusts.
    """

    source: Source
    echo: int
    credential: int = 0
    ca: str = ""


class Held(NamedTuple):
    """Cannot be stored now: the agent keeps it and tries again."""

    source: Source
    reason: str  # a code of `vocabulary.held.REASONS`
    echo: int | None = None
    detail: str = ""  # what shows it: a time in ms, a line's name, a limit


class Quarantined(NamedTuple):
    """Can never be read. Without a source there is no receipt."""

    source: Source | None
    reason: str


class Noted(NamedTuple):
    """A presence: points without a receipt."""

    school: str
    machine: str
    presence: wire.Presence
    points: tuple[Point, ...]


class Ignored(NamedTuple):
    """Nothing to store, and why."""

    reason: str


Outcome = Stored | Answered | Held | Quarantined | Noted | Ignored


def decode(
    topic: str, payload: bytes, known: Known, now: int, bounds: Bounds | None = None
) -> Outcome:
    """The outcome of one message.

    `known` returns whether the register has a school; `now`, ns since 1970 UTC, is when it arrived,
    the time of presences. What is beyond `bounds` is held; without them nothing is. Raises nothing:
    an unreadable message is an outcome too.
    """
    try:
        place = wire.parse_topic(topic)
    except wire.TopicError as error:
        return Quarantined(None, f"topic: {error}")
    if place.channel == "presence":
        return _presence(place, payload, known, now, bounds)
    if place.channel != "report":
        return Ignored(f"{place.channel} is ours to send")
    source = Source(place.school, place.machine, place.boot, place.number)
    return _report(source, payload, known, now, bounds)


def _report(
    source: Source, payload: bytes, known: Known, now: int, bounds: Bounds | None
) -> Outcome:
    try:
        message = wire.decode_message(payload)
    except wire.FutureVersionError:
        return Held(source, "future_version")
    except wire.UnreadableError as error:
        return Quarantined(source, f"unreadable: {error}")
    if isinstance(message, wire.Hello):
        return _hello(source, message)
    # The measurement server is not in the register; the broker's ACL authenticates it.
    if source.school != wire.LINESERVER and not known(source.school):
        return Held(source, "unknown_school", message.sent)
    if bounds is not None and (out := beyond(bounds, source.school, message, now // 1_000_000)):
        return Held(source, out.reason, message.sent, out.detail)
    kinds = set(map(type, message.readings))
    points = _apart(_points(source, message, kinds, now))
    if _ZERO in payload:
        points = list(map(without_zeros, points))
    reason = _unfit(source, points, kinds) if kinds & _EVIDENCE else ""
    if reason:
        return Quarantined(source, f"unreadable: {reason}")
    return Stored(source, points, None if message.uncertain else day_of(message.time), message.sent)


def _hello(source: Source, hello: wire.Hello) -> Outcome:
    """Answered for unknown schools too: a PC must learn the time before it can send reports."""
    if source.number != 1:
        return Quarantined(source, f"a hello is report 1, not {source.number}")
    return Answered(source, hello.sent, hello.credential, hello.ca)


def _unfit(source: Source, points: Sequence[Point], kinds: set[type]) -> str:
    """Why evidence may not come from this source, or why no store can hold it; empty if fine.

    Checked before anything is stored, so that a report is either stored or quarantined as a whole.
    Only points with a line can be refused: its name is the one tag that agents write freely.
    """
    server = source.school == wire.LINESERVER
    if wire.LineRecord in kinds and not server:
        return "a line_record from a school"
    if wire.LineTest in kinds and server:
        return "a line_test from the measurement server"
    return next(filter(None, (fault(point) for point in points if "line" in point.tags)), "")


def _points(source: Source, report: wire.Report, kinds: set[type], now: int) -> list[Point]:
    """The points of a report, all at its time; `kinds` are the types of its readings."""
    tags = {"school": source.school, "machine": source.machine}
    time = wire.point_time(report.time, source.boot, source.number)
    frame = Frame(tags, _marks(report), time, now // 1_000_000)
    points = [agent_point(frame, source.boot, source.number, report, bool(kinds & _EVIDENCE))]
    if wire.Device in kinds:
        points += device_points(frame, [x for x in report.readings if type(x) is wire.Device])
    for reading in report.readings:
        if type(reading) is wire.Host:
            if (point := host_point(frame, reading)) is not None:
                points.append(point)
        # With an uncertain time a test is not evidence of any day, so it is left out.
        elif type(reading) is wire.LineTest and not report.uncertain:
            points.append(test_point(frame, reading))
        elif type(reading) is wire.LineRecord and not report.uncertain:
            points.append(record_point(frame, reading))
    return points


def _marks(report: wire.Report) -> dict[str, Value]:
    marks: dict[str, Value] = {}
    if report.simulated:
        marks["simulated"] = True
    if report.uncertain:
        marks["uncertain"] = True
    return marks


def _apart(points: list[Point]) -> list[Point]:
    """Put points of the same series in one report a nanosecond apart."""
    # Nearly always; the first is of `agent`, and no other one is.
    if len(points) <= 2 or len({point.measurement for point in points}) == len(points):
        return points
    seen: dict[tuple[str, ...], int] = {}
    for at, point in enumerate(points):
        series = point.measurement, *point.tags.values()
        nth = seen[series] = seen.get(series, -1) + 1
        start, spread = point.time - point.time % _SPREAD, point.time % _SPREAD
        points[at] = point._replace(time=start + (spread + nth) % _SPREAD)
    return points


def _presence(
    place: Topic, payload: bytes, known: Known, now: int, bounds: Bounds | None
) -> Outcome:
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
    if presence.simulated and bounds is not None and not bounds.simulated:
        return Ignored("a simulated presence")
    fields: dict[str, Value] = {"boot": presence.boot, "online": presence.online}
    if presence.simulated:
        fields["simulated"] = True
    tags = {"school": place.school, "machine": place.machine}
    return Noted(place.school, place.machine, presence, (Point("presence", tags, fields, now),))


def day_of(millis: int) -> dt.date:
    """The local day (Asia/Shanghai) of a time in ms since 1970 UTC."""
    return _day_of_quarter(millis // _QUARTER_MS)


@lru_cache(maxsize=512)
def _day_of_quarter(quarter: int) -> dt.date:
    """Cached by quarter of an hour: in every time zone a day begins on one."""
    return dt.datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, wire.CITY_TIME).date()
