"""One PC played by hand, for tests of the collector over a real broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

import services
from agent import wire
from agent.wire.topics import ALL_REPORTS, policy_topic, receipt_topic, report_topic
from collector.broker.session import stop_loop

SCHOOL = "9900000001"
PATIENCE_S = services.PATIENCE_S


def until(met: Callable[[], Any], seconds: float = PATIENCE_S, what: str = "") -> Any:
    """The first true value of `met`; fails where none comes in time."""
    deadline = time.monotonic() + seconds
    while not (value := met()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or met}"
        time.sleep(0.02)
    return value


@dataclass
class Voice:
    """One PC played by hand: says what it is told to, remembers what it hears."""

    port: int
    school: str = SCHOOL
    machine: str = "ab" * 16
    boot: str = field(default_factory=wire.new_boot)
    receipts: list[wire.Receipt] = field(default_factory=list)
    policies: list[wire.Policy] = field(default_factory=list)
    stored: set[int] = field(default_factory=set)
    held: dict[int, str] = field(default_factory=dict)

    def __enter__(self) -> Voice:
        self._ready = threading.Event()
        # amqtt takes all clients without an id for one.
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"voice-{wire.new_boot()}",
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_connect = self._listen
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        stop_loop(self._client)

    def _listen(self, *_: object) -> None:
        topics = receipt_topic(self.school, self.machine), policy_topic(self.school)
        self._client.subscribe([(topic, 1) for topic in topics])

    def _hear(self, client: object, data: object, message: mqtt.MQTTMessage) -> None:
        if message.topic == policy_topic(self.school) and message.payload:
            self.policies.append(wire.decode_policy(message.payload))
        # amqtt sends every retained message to whoever connects: pass others' over.
        if message.topic == receipt_topic(self.school, self.machine):
            self._on_receipt(wire.decode_receipt(message.payload))

    def _on_receipt(self, receipt: wire.Receipt) -> None:
        self.receipts.append(receipt)
        for run in receipt.stored:
            if run.boot == self.boot:
                self.stored.update(range(run.first, run.last + 1))
        for held in receipt.held:
            if held.boot == self.boot:
                self.held[held.number] = held.reason

    def say(self, number: int, payload: bytes | wire.Message) -> None:
        """Publish, and wait until the broker has it."""
        body = payload if isinstance(payload, bytes) else wire.encode(payload)
        topic = report_topic(self.school, self.machine, self.boot, number)
        self.publish(topic, body)

    def overhear(self) -> list[tuple[str, bytes]]:
        """What all agents report from now on, as (topic, payload)."""
        heard: list[tuple[str, bytes]] = []
        self._client.message_callback_add(
            ALL_REPORTS, lambda c, d, m: heard.append((m.topic, bytes(m.payload)))
        )
        self._client.subscribe(ALL_REPORTS, 1)
        return heard

    def publish(self, topic: str, body: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, body, qos=1, retain=retain).wait_for_publish(PATIENCE_S)
