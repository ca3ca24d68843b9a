"""The collector's connection on both brokers: protocols, callbacks that fail, a dead thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from agent.common.settings import Broker
from agent.wire.topics import report_topic
from collector.service.mqtt.callbacks import each
from collector.service.mqtt.client import V5, V311
from collector.service.mqtt.link import Link

SCHOOL, MACHINE = "9900000001", "ab" * 16


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def link(broker: Any, heard: list[str]) -> Iterator[Link]:
    def on_message(topic: str, payload: bytes, retained: bool) -> None:
        heard.append(topic)
        if payload == b"bug":
            raise RuntimeError("a bug in a callback")

    def on_up() -> None:
        raise RuntimeError("a bug in another")

    made = Link(Broker(port=broker.port), ["schoolpulse/v1/+/+/report/#"], each(on_message), on_up)
    made.start()
    assert made.wait_up(30)
    yield made
    made.stop()


def test_the_newest_protocol_that_the_broker_has_is_spoken(link: Link, broker: Any) -> None:
    assert link._protocol == (V5 if broker.kind == "mosquitto" else V311)


def test_a_bug_in_a_callback_does_not_end_the_connection(
    link: Link, heard: list[str], voice: Any, kit: Any
) -> None:
    pc = voice()
    for number in range(1, 6):
        pc.say(number, b"bug")
    kit.until(lambda: len(heard) == 5)
    assert link.up
    assert link._loop is not None
    assert link._loop.is_alive()


def test_a_dead_thread_of_paho_is_seen_and_replaced(
    link: Link, heard: list[str], voice: Any, kit: Any, monkeypatch: Any
) -> None:
    """However it died: here by an exception from where we cannot catch it."""
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    first = link._loop
    assert link._window is not None
    client = link._window._client

    def die(*_: object) -> None:
        raise RuntimeError("not in a callback")

    monkeypatch.setattr(client, "loop_read", die)
    pc = voice()
    pc.say(1, b"x")
    kit.until(lambda: link._loop is not None and link._loop is not first and link.up)
    pc.say(2, b"x")
    kit.until(lambda: report_topic(SCHOOL, MACHINE, pc.boot, 2) in heard)


def test_nothing_is_queued_while_the_broker_is_away(link: Link, broker: Any, kit: Any) -> None:
    assert link.publish("schoolpulse/v1/x", b"1")
    assert link.flush(10)
    broker.kill()
    kit.until(lambda: not link.up)
    assert not link.publish("schoolpulse/v1/x", b"2")
    broker.start()
    assert link.wait_up(30)
    assert link.publish("schoolpulse/v1/x", b"3")
    assert link.flush(10)


def test_stop_ends_a_link_that_never_came_up(kit: Any) -> None:
    link = Link(Broker(port=1), ["x"], lambda *_: None, lambda: None)
    link.start()
    kit.until(lambda: link.trouble.event == "broker_unreachable")
    link.stop()
    assert not link._thread.is_alive()
