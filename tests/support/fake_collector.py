"""A collector that receipts and stores nothing, and waits for what no event tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

import services
from agent.wire import Receipt, StoredRange, decode_message, decode_presence, encode, topics
from agent.wire.topics import parse_topic
from collector.broker.session import stop_loop


class FakeCollector:
    """Receipts what it hears, unless told otherwise; remembers all payloads by report."""

    def __init__(self, port: int, five: bool, account: tuple[str, str] | None = None) -> None:
        self.heard: dict[tuple[str, str, int], list[bytes]] = {}
        self.presence: list[Any] = []
        self.answer: Callable[[Any, Any], Receipt | None] = self.stored
        self.changed = threading.Condition()
        protocol = MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        if account is not None:
            self.client.username_pw_set(*account)
        self.client.on_message = self._on_message
        self.client.on_connect = lambda *_: self.client.subscribe(
            [(topics.ALL_REPORTS, 1), (topics.ALL_PRESENCE, 1)]
        )
        listening = threading.Event()
        self.client.on_subscribe = lambda *_: listening.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert listening.wait(services.PATIENCE_S)

    def stored(self, topic: Any, message: Any) -> Receipt:
        stored = (StoredRange(topic.boot, topic.number, topic.number),)
        now = time.time_ns() // 1_000_000
        return Receipt(v=1, now=now, echo=message.sent, stored=stored)

    def _on_message(self, _client: Client, _data: object, message: Any) -> None:
        topic = parse_topic(message.topic)
        with self.changed:
            if topic.channel == "presence":
                self.presence.append(decode_presence(message.payload))
            else:
                key = (topic.machine, topic.boot, topic.number)
                self.heard.setdefault(key, []).append(message.payload)
            self.changed.notify_all()
        if topic.channel == "report":
            receipt = self.answer(topic, decode_message(message.payload))
            if receipt is not None:
                self.say(topic.school, topic.machine, receipt)

    def say(self, school: str, machine: str, receipt: Receipt) -> None:
        self.client.publish(topics.receipt_topic(school, machine), encode(receipt), 1)

    def wait(self, done: Callable[[], bool], seconds: float = services.PATIENCE_S) -> None:
        """Return once `done`, looked at after each message."""
        with self.changed:
            assert self.changed.wait_for(done, seconds), (sorted(self.heard), self.presence)

    def close(self) -> None:
        self.client.disconnect()
        stop_loop(self.client)


@pytest.fixture
def collector() -> Iterator[Callable[..., FakeCollector]]:
    """Makes fake collectors at a port, and ends them."""
    made: list[FakeCollector] = []

    def make(port: int, five: bool = True, account: tuple[str, str] | None = None) -> FakeCollector:
        made.append(FakeCollector(port, five, account))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits for what no event tells, such as another process."""

    def wait(done: Callable[[], bool], seconds: float = services.PATIENCE_S) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.02)

    return wait
