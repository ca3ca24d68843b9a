"""What is under way on the collector's outgoing connection, and what comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from collector.service.mqtt import client
from collector.service.mqtt.batched_client import BatchedClient, Outgoing
from collector.service.mqtt.client import Window


class Sent:
    """A client that notes what it was given, and acknowledges when told."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.calls = 0
        self.up = True
        self.window = Window(cast("BatchedClient", self))

    def publish_all(self, messages: Sequence[Outgoing]) -> bool:
        self.calls += self.up
        self.topics += [message.topic for message in messages if self.up]
        return self.up

    def clears(self, count: int) -> int:
        return self.window.publish_all([Outgoing("clear", b"", True)] * count, may_wait=True)

    def receipts(self, first: int, last: int) -> int:
        names = [f"receipt-{n}" for n in range(first, last + 1)]
        return self.window.publish_all([Outgoing(name, b"") for name in names])


@pytest.fixture
def sent(monkeypatch: Any) -> Sent:
    monkeypatch.setattr(client, "_IN_FLIGHT", 10)
    monkeypatch.setattr(client, "_PENDING", 100)
    return Sent()


def test_a_receipt_goes_at_once_though_a_flood_waits(sent: Sent) -> None:
    sent.clears(60)
    assert sent.topics == ["clear"] * 5, "half the window is kept free"
    assert [sent.receipts(n, n) for n in range(8)] == [1] * 8
    assert sent.topics[5:] == [f"receipt-{n}" for n in range(5)]
    sent.window.acked(2)
    assert sent.topics[10:] == ["receipt-5", "receipt-6"]


def test_a_flood_fills_its_own_queue_and_is_sent_in_the_end(sent: Sent) -> None:
    assert sent.clears(40) + sent.clears(40) + sent.clears(220) == 100 + 5
    assert sent.receipts(1, 1) == 1
    acknowledged = 0
    while acknowledged < len(sent.topics):
        sent.window.acked()
        acknowledged += 1
    assert sent.topics.count("clear") == 105
    assert sent.topics[5] == "receipt-1"
    assert sent.window.flush(0)


def test_what_waits_ends_with_the_connection(sent: Sent) -> None:
    sent.clears(60)
    sent.window.close()
    assert sent.clears(1) == 0
    assert not sent.window.flush(0)


def test_a_batch_is_given_over_in_one_call_and_so_is_what_acknowledgements_free(
    sent: Sent,
) -> None:
    assert sent.receipts(1, 25) == 25
    assert (sent.calls, len(sent.topics)) == (1, 10)
    sent.window.acked(10)
    assert (sent.calls, len(sent.topics)) == (2, 20)
    sent.window.acked(10)
    sent.window.acked(5)
    assert sent.topics == [f"receipt-{n}" for n in range(1, 26)], "in order"
    assert sent.window.flush(0)


def test_more_than_may_wait_is_refused_from_the_end(sent: Sent) -> None:
    assert sent.receipts(1, 100) == 100
    assert sent.receipts(101, 150) == 10, "ten were under way and left room"
    assert sent.receipts(151, 151) == 0


def test_a_client_without_a_connection_ends_the_window(sent: Sent) -> None:
    sent.up = False
    sent.receipts(1, 3)
    assert not sent.window.flush(0)
    sent.up = True
    assert sent.receipts(4, 4) == 0
    assert sent.topics == []
