"""What is under way on the collector's outgoing connection, and what comes first."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import services
from agent.common.settings import Broker
from collector.service.mqtt import client
from collector.service.mqtt.batched_client import BatchedClient
from collector.service.mqtt.client import V5, V311, Window, make
from collector.service.mqtt.link import Link
from collector.service.mqtt.packets import Outgoing, packet_of, size_of
from voice import Voice, until


class Sent:
    """A client that notes what it was given, and acknowledges when told."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.calls = 0
        self.up = True
        self.too_large = 0
        self.window = Window(cast("BatchedClient", self), self._too_large)

    def _too_large(self) -> None:
        self.too_large += 1

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


def allowed(**limits: int) -> Properties:
    """What a broker says as it accepts us."""
    made: Any = Properties  # carries no types
    said = made(PacketTypes.CONNACK)
    for name, limit in limits.items():
        setattr(said, name, limit)
    return cast("Properties", said)


@pytest.mark.parametrize("topic", ["t", "t" * 200, "校" * 100])
@pytest.mark.parametrize("size", [0, 1, 100, 121, 122, 123, 5000, 16_370, 16_384, 70_000])
def test_the_size_of_a_packet_is_known_before_it_is_made(topic: str, size: int) -> None:
    message = Outgoing(topic, bytes(size))
    assert size_of(message) == len(packet_of(message, 1, True))


@pytest.mark.parametrize("may_wait", [False, True])
def test_what_the_broker_does_not_take_is_left_out_and_the_rest_sent(
    sent: Sent, may_wait: bool, caplog: pytest.LogCaptureFixture
) -> None:
    fits = Outgoing("fits", bytes(50))
    sent.window.allow(allowed(MaximumPacketSize=size_of(fits)))
    large = Outgoing("large", bytes(52))
    mixed = [fits, large, fits, large, large]
    assert sent.window.publish_all(mixed, may_wait) == 5, "none is to be tried again"
    assert sent.topics == ["fits", "fits"]
    assert sent.too_large == 3
    assert caplog.text.count("message_too_large") == 1
    sent.window.acked(2)
    assert sent.window.flush(0), "no slot is taken by what was not sent"


def test_what_is_too_large_does_not_fill_the_log(
    sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    sent.window.allow(allowed(MaximumPacketSize=30))
    for n in range(100):
        sent.window.publish_all([Outgoing(f"topic-{n}", bytes(50))])
    assert sent.too_large == 100
    assert caplog.text.count("message_too_large") == client._TOLD


@pytest.mark.parametrize("protocol", [V5, V311])
@pytest.mark.parametrize("topic", ["x" * 65_536, "校" * 21_846, "\ud800"])
def test_what_mqtt_cannot_say_takes_no_slot_and_nothing_with_it(topic: str, protocol: Any) -> None:
    """More of it than the window has slots; the client is a real one."""
    real = make(Broker(), protocol)
    ours, broker = socket.socketpair()
    with ours, broker:
        real._sock = ours
        window = Window(real)
        window.allow(allowed(ReceiveMaximum=5))
        for n in range(20):
            assert window.publish_all([Outgoing(topic, b""), Outgoing("t", b"%d" % n)]) == 2
        real.loop_write()
        assert broker.recv(1000).count(b"\0\1t") == 5, "as many as may be under way"
        window.acked(5)
        real.loop_write()
        assert broker.recv(1000).count(b"\0\1t") == 5, "the next five"
        real._sock = None


class Bytes(bytes):
    """Seems larger than it is: a quarter of a gigabyte need not be made."""

    def __len__(self) -> int:
        return 268_435_455


def test_a_payload_beyond_the_protocol_is_left_out(sent: Sent) -> None:
    sent.window.publish_all([Outgoing("t", Bytes()), Outgoing("u", b"")])
    assert (sent.topics, sent.too_large) == (["u"], 1)


def test_a_client_that_fails_leaves_no_slot_taken(sent: Sent, monkeypatch: Any) -> None:
    def fail(messages: object) -> bool:
        raise OSError("no memory")

    monkeypatch.setattr(sent, "publish_all", fail)
    for _ in range(20):
        with pytest.raises(OSError, match="no memory"):
            sent.receipts(1, 1)
    monkeypatch.undo()
    sent.receipts(2, 11)
    assert len(sent.topics) == 10


@pytest.mark.mosquitto
def test_a_real_broker_keeps_the_connection_though_a_message_is_too_large(tmp_path: Path) -> None:
    """Mosquitto drops who sends it one; the same policy would be sent at each connecting."""
    with services.broker("mosquitto", tmp_path, "max_packet_size 2000\n") as running:
        ups, dropped = [], []
        link = Link(Broker(port=running.port), (), lambda *_: None, lambda: ups.append(1))
        link.on_too_large = lambda: dropped.append(1)
        link.start()
        assert link.wait_up(services.PATIENCE_S)
        with Voice(running.port) as pc:
            topic = f"schoolpulse/v1/{pc.school}/policy"
            assert link.publish(topic, bytes(3000), retain=True)
            policy = b'{"v":1,"school":"%s","issued":5}' % pc.school.encode()
            assert link.publish(topic, policy, retain=True)
            assert link.flush(services.PATIENCE_S)
            until(lambda: pc.policies, what="the policy that fits")
        link.stop()
    assert (len(ups), len(dropped)) == (1, 1), "one connection from beginning to end"
