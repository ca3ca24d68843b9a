"""What the tests of decoding share: a message of a school's PC, and the points that it comes to."""

from __future__ import annotations

import datetime as dt

from agent import wire
from agent.wire.topics import report_topic
from collector.ingest import Outcome, Stored, decode
from collector.store.base import Point

SCHOOL, OTHER = "9900000001", "9900000002"
MACHINE, BOOT = "ab" * 16, "0123456789abcdef"
NOON = int(dt.datetime(2026, 3, 2, 12, tzinfo=wire.CITY_TIME).timestamp() * 1000)


def take(
    message: wire.Message | bytes, school: str = SCHOOL, number: int = 2, boot: str = BOOT
) -> Outcome:
    """What a message of `school` comes to, where only SCHOOL is registered."""
    payload = message if isinstance(message, bytes) else wire.encode(message)
    topic = report_topic(school, MACHINE, boot, number)
    return decode(topic, payload, {SCHOOL}.__contains__, 7)


def report(*readings: wire.Reading, time: int = NOON, **more: object) -> wire.Report:
    return wire.Report(v=1, time=time, readings=readings, **more)  # type: ignore[arg-type]


def points(outcome: Outcome, measurement: str) -> list[Point]:
    assert isinstance(outcome, Stored), outcome
    return [point for point in outcome.points if point.measurement == measurement]


def line_test(line: str = "l1", test: str = "t1") -> wire.LineTest:
    return wire.LineTest(test=test, line=line, outcome="ok", down_mbps=9.5, solo=True)


def record(school: str = OTHER, test: str = "t1") -> wire.LineRecord:
    return wire.LineRecord(
        test=test, school=school, machine="cd" * 16, line="l9", outcome="ok", sent_bytes=5
    )
