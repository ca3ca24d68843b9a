"""The lines that the collector publishes, for a server without the register."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from agent import wire
from agent.common.settings import Broker
from agent.wire.messages import LinePolicy
from agent.wire.topics import policy_topic
from collector.lineserver.lines import PublishedLines
from collector.lineserver.turns import Limits, Wish
from collector.service.mqtt.callbacks import each
from collector.service.mqtt.link import Link

A, B = "9963010001", "9963010002"
NOWHERE = Broker(port=1)


def policy(school: str, *names: str, v: int = 1) -> bytes:
    rows = tuple(LinePolicy(name, quiet_per_day=5, month_bytes=7, max_seconds=20) for name in names)
    return wire.encode(wire.Policy(v=1, school=school, issued=1, lines=rows)).replace(
        b'"v":1', b'"v":%d' % v
    )


def wish(school: str, line: str) -> Wish:
    return Wish(school, "ab" * 16, line)


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[PublishedLines]:
    made = PublishedLines(NOWHERE, tmp_path / "lines.db", by_hand=9)
    yield made
    made.stop()


def test_nothing_is_known_before_a_policy_came(lines: PublishedLines) -> None:
    assert lines(wish(A, "主线")) == "no_lines"
    assert not lines.known


def test_a_policy_names_the_lines_of_its_school_alone(lines: PublishedLines) -> None:
    lines.received(policy_topic(A), policy(A, "主线"), True)
    assert lines(wish(A, "主线")) == Limits(5, 1, 9, 7, 20.0)
    assert lines(wish(A, "备线")) == "unknown_line"
    assert lines(wish(B, "主线")) == "unknown_line"
    lines.received(policy_topic(A), policy(A, "备线"), False)
    assert lines(wish(A, "主线")) == "unknown_line"
    lines.received(policy_topic(B), policy(B, "主线"), False)
    lines.received(policy_topic(A), b"", False)  # it has left the register
    assert lines(wish(A, "备线")) == "unknown_line"
    assert isinstance(lines(wish(B, "主线")), Limits)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (policy_topic(A), b"{"),
        (policy_topic(A), policy(B, "备线")),
        (policy_topic(A), policy(A, "备线", v=2)),
        ("schoolpulse/v1/x/policy", policy(A, "备线")),
        (policy_topic(A), b"\xff" * 100),
    ],
)
def test_what_cannot_be_read_leaves_the_policy_in_force(
    lines: PublishedLines, topic: str, payload: bytes
) -> None:
    lines.received(policy_topic(A), policy(A, "主线"), True)
    lines.received(topic, payload, True)
    assert isinstance(lines(wish(A, "主线")), Limits)
    assert lines(wish(A, "备线")) == "unknown_line"
    assert lines(wish(B, "备线")) == "unknown_line"


def test_they_are_known_after_a_restart_without_a_broker(tmp_path: Path) -> None:
    first = PublishedLines(NOWHERE, tmp_path / "lines.db", by_hand=9)
    for school in (A, B):
        first.received(policy_topic(school), policy(school, "主线"), True)
    first.received(policy_topic(B), b"", False)
    first.stop()
    again = PublishedLines(NOWHERE, tmp_path / "lines.db", by_hand=9)
    try:
        assert isinstance(again(wish(A, "主线")), Limits)
        assert again(wish(B, "主线")) == "unknown_line"
    finally:
        again.stop()


def test_a_full_disk_stops_nothing(lines: PublishedLines) -> None:
    lines._base.execute("PRAGMA query_only = ON")
    lines.received(policy_topic(A), policy(A, "主线"), True)
    assert isinstance(lines(wish(A, "主线")), Limits)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker("mosquitto", folder) as running:
        yield Broker(port=running.port)


def test_they_come_from_a_broker(tmp_path: Path, broker: Broker) -> None:
    made = PublishedLines(broker, tmp_path / "lines.db", by_hand=9)
    heard = threading.Event()
    received = made.received

    def hear(topic: str, payload: bytes, retained: bool) -> None:
        received(topic, payload, retained)
        heard.set()

    made._link._on_messages = each(hear)
    publish(broker, policy_topic(A), policy(A, "主线"))
    made.start()
    try:
        assert heard.wait(60)
        assert isinstance(made(wish(A, "主线")), Limits)
    finally:
        made.stop()


def publish(broker: Broker, topic: str, payload: bytes) -> None:
    """As the collector does: retained."""
    link = Link(broker, [], lambda *_: None, lambda: None)
    link.start()
    try:
        assert link.wait_up(60)
        assert link.publish(topic, payload, retain=True)
        assert link.flush(60)
    finally:
        link.stop()
