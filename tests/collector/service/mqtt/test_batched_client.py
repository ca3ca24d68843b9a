"""The client that reads in batches: the same messages as paho's own, by far fewer system calls."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

import services
from collector.broker.session import stop_loop
from collector.service.mqtt import gathering
from collector.service.mqtt.batched_client import BatchedClient
from collector.service.mqtt.callbacks import each
from collector.service.mqtt.packets import Outgoing, publish_at
from mqtt_packets import packet_of as whole_packet

from .conftest import Pair

MANY = 3000


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("size", [10, 3000])
def test_all_messages_by_few_reads(
    tmp_path: Path, size: int, quick: bool, protocol: MQTTProtocolVersion, monkeypatch: Any
) -> None:
    reads = by_paho = 0
    plain = mqtt.Client._sock_recv

    def counted(self: mqtt.Client, bufsize: int) -> bytes:
        nonlocal reads
        reads += isinstance(self, BatchedClient)
        return plain(self, bufsize)

    monkeypatch.setattr(mqtt.Client, "_sock_recv", counted)
    with services.broker("mosquitto", tmp_path) as broker:
        heard, done, ready = [], threading.Event(), threading.Event()
        ear = BatchedClient(CallbackAPIVersion.VERSION2, client_id="ear", protocol=protocol)
        ear.on_connect = lambda *_: ear.subscribe("t/#", 1)
        ear.on_subscribe = lambda *_: ready.set()

        def hear(topic: str, payload: bytes, retained: bool) -> None:
            assert (topic, retained) == ("t/x", False)
            heard.append(payload)
            if len(heard) == MANY:
                done.set()

        def on_message(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
            nonlocal by_paho
            by_paho += 1
            hear(message.topic, bytes(message.payload), message.retain)

        ear.on_message = on_message
        ear.deliver = each(hear) if quick else None
        ear.connect("127.0.0.1", broker.port)
        ear.loop_start()
        assert ready.wait(120)
        reads = 0
        voice = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="voice")
        voice.max_inflight_messages_set(MANY)
        voice.connect("127.0.0.1", broker.port)
        sent = [f"{n}".ljust(size).encode() for n in range(MANY)]
        for payload in sent:
            voice.publish("t/x", payload, 1)
        voice.loop_start()
        assert done.wait(120), f"{len(heard)} of {MANY}"
        for client in (voice, ear):
            client.disconnect()
            stop_loop(client)
    # As a set: Mosquitto 2.0.11 sends one late now and then, by its own packet ids.
    assert sorted(heard) == sorted(sent)
    # Those that two reads brought in halves; of large ones that may be many.
    assert not quick or by_paho < (MANY if size > 1000 else MANY / 10)
    assert reads < 2 * MANY, "paho alone reads three times a message"


def test_acknowledgements_leave_in_the_order_of_the_messages() -> None:
    """MQTT 4.6 asks for it, also where paho puts a message together that came in halves."""
    ours, broker = socket.socketpair()
    acks, heard = b"", []
    messages = [whole_packet(0x32, b"\0\3t/x" + n.to_bytes(2) + b"%d" % n) for n in range(1, 6)]
    with ours, broker:
        ear = BatchedClient(CallbackAPIVersion.VERSION2)
        ear.deliver = lambda messages: heard.extend(one.payload for one in messages)
        ear.on_message = lambda _client, _data, message: heard.append(message.payload)
        ours.setblocking(False)
        ear._sock, ear._thread = ours, threading.current_thread()
        stream = b"".join(messages)
        for part in (stream[:15], stream[15:]):
            broker.sendall(part)
            ear.loop_read()
        ear.loop_write()
        while len(acks) < 4 * len(messages):
            acks += broker.recv(100)
        ear._sock = ear._thread = None
    assert heard == [b"%d" % n for n in range(1, 6)]
    assert acks == b"".join(b"\x40\2" + n.to_bytes(2) for n in range(1, 6))


@pytest.mark.parametrize("protocol", [MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311])
def test_all_that_is_published_arrives_and_is_acknowledged(
    tmp_path: Path, protocol: MQTTProtocolVersion
) -> None:
    sent = [f"{n}".encode() for n in range(MANY)]
    with services.broker("mosquitto", tmp_path, f"max_queued_messages {MANY}\n") as broker:
        heard, done, ready, up = [], threading.Event(), threading.Event(), threading.Event()
        ear = BatchedClient(CallbackAPIVersion.VERSION2, client_id="ear", protocol=protocol)
        ear.on_connect = lambda *_: ear.subscribe("t/#", 1)
        ear.on_subscribe = lambda *_: ready.set()

        def hear(topic: str, payload: bytes, retained: bool) -> None:
            heard.append(payload)
            if len(heard) == MANY:
                done.set()

        ear.deliver = each(hear)
        voice = BatchedClient(CallbackAPIVersion.VERSION2, client_id="voice", protocol=protocol)
        voice.on_connect = lambda *_: up.set()
        windows = [sent[at : at + 20] for at in range(0, MANY, 20)]
        left, acknowledged = iter(windows), threading.Event()

        def go_on(count: int, refused: object) -> None:
            counts.append(count)
            assert not refused
            if sum(counts) == MANY:
                acknowledged.set()
            elif sum(counts) % 20 == 0:
                assert voice.publish_all([Outgoing("t/x", one) for one in next(left)])

        counts: list[int] = []
        voice.acked = go_on
        for client, event in ((ear, ready), (voice, up)):
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            assert event.wait(120)
        assert voice.publish_all([Outgoing("t/x", one) for one in next(left)])
        assert done.wait(120), f"{len(heard)} of {MANY}"
        assert acknowledged.wait(120), sum(counts)
        for client in (voice, ear):
            client.disconnect()
            stop_loop(client)
        assert not voice.publish_all([Outgoing("t/x", b"late")])
    assert sorted(heard) == sorted(sent)


def test_a_lone_message_is_delivered_and_acknowledged_without_a_wait(
    pair: Pair, monkeypatch: Any
) -> None:
    now = 1000.0
    monkeypatch.setattr(gathering.time, "monotonic", lambda: now)
    for n in range(5):
        pair.broker.sendall(pair.message(n))
        pair.client.loop_read()
        assert len(pair.heard) == n + 1
        assert len(pair.receive()) == 4 * (n + 1)
        now += gathering.GATHER_S
    assert pair.pauses == []


def test_the_wait_between_two_reads_is_bounded_and_not_for_a_busy_connection(
    pair: Pair, monkeypatch: Any
) -> None:
    now = 1000.0
    monkeypatch.setattr(gathering.time, "monotonic", lambda: now)

    def read(count: int) -> list[float]:
        begun = len(pair.pauses)
        pair.broker.sendall(b"".join(map(pair.message, range(count))))
        pair.client.loop_read()
        return pair.pauses[begun:]

    gather, enough = gathering.GATHER_S, gathering.ENOUGH
    pair.client.gathering._begun = now  # within one turn
    assert read(1) == []
    now += gather / 4
    assert read(enough) == [pytest.approx(gather * 3 / 4)]
    assert read(enough - 1) == [], "the last one brought enough"
    assert read(1) == [pytest.approx(gather)] * 2, "it had brought several: a wait goes on"
    assert read(1) == [pytest.approx(gather)], "nothing more came then"
    assert len(pair.heard) == 2 * enough + 2


def test_what_comes_during_a_wait_is_one_read(pair: Pair, monkeypatch: Any) -> None:
    """Delivered in order, cut anywhere, and acknowledged together at its end."""
    now, sent, lists = 1000.0, 0, []
    monkeypatch.setattr(gathering.time, "monotonic", lambda: now)
    pair.client.gathering._begun = now
    pair.client.deliver = lambda found: lists.append([one.payload for one in found])
    pair.client.on_message = lambda _client, _data, halved: lists.append([halved.payload])
    stream = b"".join(map(pair.message, range(400)))

    def send(count: int) -> None:
        nonlocal sent
        pair.broker.sendall(stream[sent : sent + count])
        sent += count

    def pause(seconds: float) -> None:
        nonlocal now
        now += seconds
        assert len(pair.receive()) % 4 == 0, "whole acknowledgements"
        pair.pauses.append(seconds)
        send(101)

    pair.client.gathering.pause = pause
    for _ in range(12):
        send(59)
        pair.client.loop_read()
    send(len(stream))
    pair.client.loop_read()
    assert [payload for found in lists for payload in found] == [b"%d" % n for n in range(400)]
    assert len(pair.receive()) == 4 * 400
    assert max(pair.pauses) == pytest.approx((gathering.STEPS - 1) * gathering.GATHER_S)


@pytest.mark.parametrize("window", [1, 2, 10, 20, 200])
def test_a_broker_that_waits_for_our_acknowledgements_is_never_waited_for(
    pair: Pair, window: int
) -> None:
    """However few messages it sends at once: each wait comes after all acknowledgements."""
    sent, total = 0, 1000
    while len(pair.heard) < total:
        free = window - (sent - len(pair.receive()) // 4)
        assert free > 0, "all that was sent was read and acknowledged"
        pair.broker.sendall(b"".join(map(pair.message, range(sent, min(total, sent + free)))))
        sent = min(total, sent + free)
        pair.client.loop_read()
    assert pair.heard == [b"%d" % n for n in range(total)]


def _acknowledged(mid: int, rest: bytes = b"") -> bytes:
    return whole_packet(0x40, mid.to_bytes(2) + rest)


@pytest.mark.parametrize("size", [1, 3, 5, 9, 1000])
def test_acknowledgements_of_every_length_are_counted_once(pair: Pair, size: int) -> None:
    """Cut anywhere, with a reason and properties or without; those of nobody are no one's."""
    assert pair.client.publish_all([Outgoing("t/x", b"%d" % n) for n in range(6)])
    pair.client.loop_write()
    packets, at = pair.receive(), 0
    mids = []
    while at < len(packets):
        found = publish_at(packets, at, True)
        assert found is not None
        at = found.end
        mids.append(int.from_bytes(found.ack[2:]))
    assert len(set(mids)) == 6
    stream = b"".join(
        (
            _acknowledged(mids[0]), _acknowledged(mids[1], b"\x10"), _acknowledged(mids[0]),
            _acknowledged(mids[2], b"\x87\0"), _acknowledged(max(mids) + 9), _acknowledged(mids[3]),
            _acknowledged(mids[4], b"\x97\x06\x1f\0\3any"), _acknowledged(mids[5], b"\0\0"),
        )
    )  # fmt: skip
    for start in range(0, len(stream), size):
        pair.broker.sendall(stream[start : start + size])
        pair.client.loop_read()
    assert sum(count for count, _ in pair.acked) == 6
    assert [code for _, codes in pair.acked for code in codes] == [0x87, 0x97]


def test_what_is_published_while_the_socket_is_full_leaves_later_and_whole(pair: Pair) -> None:
    sent = [Outgoing("t/x", bytes([n]) * 50_000) for n in range(40)]
    for at in range(0, 40, 10):
        assert pair.client.publish_all(sent[at : at + 10])
    for _ in range(10_000):
        if not pair.client.want_write():
            break
        pair.client.loop_write()
        pair.receive()
    packets, at, found = pair.receive(), 0, []
    while at < len(packets):
        one = publish_at(packets, at, True)
        assert one is not None
        found.append(one.payload)
        at = one.end
    assert found == [one.payload for one in sent]
