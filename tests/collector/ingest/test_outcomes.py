"""What comes to no points: hellos, held, quarantined and ignored messages; and presences."""

from __future__ import annotations

import pytest

from agent import wire
from agent.wire.topics import policy_topic, presence_topic, receipt_topic
from collector.ingest import Answered, Held, Ignored, Noted, Quarantined, Source, decode
from collector.store.base import Point
from ingest_cases import BOOT, MACHINE, OTHER, SCHOOL, report, take


def test_a_hello_is_answered_and_writes_nothing() -> None:
    hello = wire.Hello(v=1, sent=-123)
    assert take(hello, number=1) == Answered(Source(SCHOOL, MACHINE, BOOT, 1), -123)
    # A PC of a school not yet imported must learn the time too.
    assert isinstance(take(hello, number=1, school=OTHER), Answered)
    assert isinstance(take(hello, number=2), Quarantined)


def test_unknown_school_and_future_version_are_held() -> None:
    assert take(report(sent=4), school=OTHER) == Held(
        Source(OTHER, MACHINE, BOOT, 2), "unknown_school", 4
    )
    future = b'{"type":"report","v":2,"time":"tomorrow","readings":{}}'
    assert take(future) == Held(Source(SCHOOL, MACHINE, BOOT, 2), "future_version")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"report","v":1}',
        b'{"type":"report","v":"1","time":1,"readings":[]}',
        b'{"type":"report","v":1,"time":-1,"readings":[]}',
        b'{"type":"report","v":1,"time":1,"readings":[{"reading":"telepathy"}]}',
        b'{"type":"report","v":1,"time":1,"readings":[{"reading":"host","cpu_percent":1e400}]}',
        b"[" * 200_000,
        b'{"a":' * 50_000,
        b" " * (wire.MAX_PAYLOAD + 1),
    ],
    ids=lambda payload: repr(payload[:30]),
)
def test_what_can_never_be_read_is_quarantined_with_its_reason(payload: bytes) -> None:
    outcome = take(payload)
    assert isinstance(outcome, Quarantined)
    assert outcome.source == Source(SCHOOL, MACHINE, BOOT, 2)
    assert outcome.reason.startswith("unreadable: ")
    assert len(outcome.reason) < 400


@pytest.mark.parametrize(
    "topic",
    [
        "schoolpulse/v1/9900000001/" + MACHINE + "/report/" + BOOT + "/0",
        "schoolpulse/v1/9900000001/" + MACHINE + "/report/" + BOOT,
        "schoolpulse/v1/nobody/" + MACHINE + "/report/" + BOOT + "/2",
        "schoolpulse/v1/9900000001/" + MACHINE + "/report/" + BOOT + "/2\n",
        "else",
    ],
)
def test_unknown_topics_are_quarantined_without_receipt(topic: str) -> None:
    outcome = decode(topic, wire.encode(report()), lambda school: True, 0)
    assert isinstance(outcome, Quarantined)
    assert outcome.source is None


def test_our_own_channels_are_ignored() -> None:
    for topic in (receipt_topic(SCHOOL, MACHINE), policy_topic(SCHOOL)):
        assert isinstance(decode(topic, b"{}", lambda school: True, 0), Ignored)


def test_presence_is_noted_at_its_arrival() -> None:
    said = wire.Presence(v=1, boot=BOOT, online=True, simulated=True)
    outcome = decode(presence_topic(SCHOOL, MACHINE), wire.encode(said), lambda s: True, 42)
    assert isinstance(outcome, Noted)
    [point] = outcome.points
    assert point == Point(
        "presence",
        {"school": SCHOOL, "machine": MACHINE},
        {"boot": BOOT, "online": True, "simulated": True},
        42,
    )


def test_an_empty_unknown_or_unreadable_presence_stores_nothing() -> None:
    topic = presence_topic(SCHOOL, MACHINE)
    said = wire.encode(wire.Presence(v=1, boot=BOOT, online=True))
    assert isinstance(decode(topic, b"", lambda s: True, 0), Ignored)
    assert isinstance(decode(topic, said, lambda s: False, 0), Ignored)
    assert isinstance(decode(topic, said.replace(b'"v":1', b'"v":2'), lambda s: True, 0), Ignored)
    bad = decode(topic, b"offline", lambda s: True, 0)
    assert isinstance(bad, Quarantined)
    assert bad.source is None
