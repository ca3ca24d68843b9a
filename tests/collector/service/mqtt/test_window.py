"""What is under way on the collector's outgoing connection, and what comes first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import paho.mqtt.client as mqtt
import pytest

from collector.service.mqtt import client
from collector.service.mqtt.client import Window


class Sent:
    """A client that notes what it was given, and acknowledges when told."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.window = Window(cast("mqtt.Client", self))

    def publish(self, topic: str, *_: Any) -> Any:
        self.topics.append(topic)
        return SimpleNamespace(rc=mqtt.MQTT_ERR_SUCCESS)

    def clears(self, count: int) -> list[bool]:
        return [self.window.publish("clear", b"", True, True) for _ in range(count)]


@pytest.fixture
def sent(monkeypatch: Any) -> Sent:
    monkeypatch.setattr(client, "_IN_FLIGHT", 10)
    monkeypatch.setattr(client, "_PENDING", 100)
    return Sent()


def test_a_receipt_goes_at_once_though_a_flood_waits(sent: Sent) -> None:
    sent.clears(60)
    assert sent.topics == ["clear"] * 5, "half the window is kept free"
    for n in range(8):
        assert sent.window.publish(f"receipt-{n}", b"", False)
    assert sent.topics[5:] == [f"receipt-{n}" for n in range(5)]
    sent.window.acked()
    sent.window.acked()
    assert sent.topics[10:] == ["receipt-5", "receipt-6"]


def test_a_flood_fills_its_own_queue_and_is_sent_in_the_end(sent: Sent) -> None:
    assert sum(sent.clears(300)) == 100 + 5
    assert sent.window.publish("receipt", b"", False)
    acknowledged = 0
    while acknowledged < len(sent.topics):
        sent.window.acked()
        acknowledged += 1
    assert sent.topics.count("clear") == 105
    assert sent.topics[5] == "receipt"
    assert sent.window.flush(0)


def test_what_waits_ends_with_the_connection(sent: Sent) -> None:
    sent.clears(60)
    sent.window.close()
    assert not any(sent.clears(1))
    assert not sent.window.flush(0)
