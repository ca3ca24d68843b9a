"""Reports among other packets, through the client: each once, in order, and acknowledged."""

from __future__ import annotations

import select
import socket
import struct
from itertools import pairwise
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion

from agent.wire.topics import presence_topic, report_topic
from collector.service.mqtt import batched_client
from collector.service.mqtt.packets import Outgoing, packet_of
from collector.service.mqtt.reports import Reports
from mqtt_packets import packet_of as whole_packet

from .conftest import Pair

SCHOOL, PC, BOOT = "1" * 10, "c" * 32, "b" * 16
V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
#: What is sent, by its letter: an ordinary report, a short one, a hello, a presence, a
#: report that expires.
SENT = {
    "r": (report_topic(SCHOOL, PC, BOOT, 2), 200),
    "s": (report_topic(SCHOOL, PC, BOOT, 3), 1),
    "h": (report_topic(SCHOOL, PC, BOOT, 1), 200),
    "p": (presence_topic(SCHOOL, PC), 60),
    "e": (report_topic(SCHOOL, PC, BOOT, 4), 200),
}
#: Of "e": a property that our agents do not send, which is paho's to read.
_EXPIRY = b"\x05\x02\0\0\0\x09"


class Heard(Pair):
    """What was delivered: topic and payload of each, and how the lists were."""

    def __init__(self, protocol: MQTTProtocolVersion = V5) -> None:
        super().__init__(protocol)
        self.said: list[tuple[str, bytes]] = []
        self.lists = ""  # "R": reports as they came, "o": others
        self.counted: list[int] = []
        self.client.deliver = self.deliver
        self.client.on_message = self.halved
        took = self.client.gathering.took
        self.client.gathering.took = lambda count: (self.counted.append(count), took(count))[1]
        self.client.gathering.pause = lambda _: None

    def deliver(self, found: Any) -> None:
        self.said += [(one.topic, one.payload) for one in found]
        self.lists += "R" if isinstance(found, Reports) else "o"

    def halved(self, _client: object, _data: object, message: Any) -> None:
        """One that two reads brought: paho puts it together."""
        self.said.append((message.topic, message.payload))

    def end(self) -> None:
        self.client._sock = self.client._thread = None
        self.ours.close()
        self.broker.close()


def packets(letters: str, protocol: MQTTProtocolVersion = V5) -> tuple[list[bytes], list[Any]]:
    """The packets, and what they say; each payload is another one."""
    said = [
        (SENT[letter][0], b"%d" % n + bytes(SENT[letter][1])) for n, letter in enumerate(letters)
    ]
    made = [packet_of(Outgoing(*one), n + 1, protocol == V5) for n, one in enumerate(said)]
    for n, letter in enumerate(letters):
        if letter == "e":
            name = said[n][0].encode()
            body = len(name).to_bytes(2) + name + (n + 1).to_bytes(2) + _EXPIRY + said[n][1]
            made[n] = whole_packet(0x32, body)
    return made, said


def acknowledged(count: int) -> bytes:
    return b"".join(b"\x40\2" + n.to_bytes(2) for n in range(1, count + 1))


@pytest.mark.parametrize("protocol", [V5, V311])
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    letters=st.text("rrrshp", min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 9000), max_size=4),
)
def test_each_once_in_order_and_acknowledged(
    protocol: MQTTProtocolVersion, letters: str, cuts: list[int]
) -> None:
    made, said = packets(letters, protocol)
    stream, heard = b"".join(made), Heard(protocol)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    for begin, end in pairwise(edges):
        heard.broker.sendall(stream[begin:end])
        heard.client.loop_read()
        heard.client.loop_write()
    assert heard.said == said
    assert heard.receive() == acknowledged(len(letters))
    heard.end()


@pytest.mark.parametrize(
    ("letters", "lists", "counted"),
    [
        ("rrrr", "R", [4]),
        ("rrsrrr", "RoR", [2, 1, 3]),
        ("hprr", "oR", [2, 2]),
        ("rhsp", "Ro", [1, 3]),
        ("s", "o", [1]),
    ],
)
def test_reports_stay_as_they_came_and_what_is_between_them_is_read(
    letters: str, lists: str, counted: list[int]
) -> None:
    """One short report takes no other off the quick way."""
    heard = Heard()
    heard.broker.sendall(b"".join(packets(letters)[0]))
    heard.client.loop_read()
    assert (heard.lists, heard.counted) == (lists, counted)
    heard.end()


@pytest.mark.parametrize("letters", ["rp" * 20, "pr" * 20, "rs" * 20, "e" * 40, "er" * 20])
@pytest.mark.parametrize("each_s", [0.3, 0.99, 1.01, 30.0])
def test_a_broker_hears_from_us_in_a_read_that_takes_long(
    letters: str, each_s: float, monkeypatch: Any
) -> None:
    """A full inbox holds up each list for half a minute; a broker waits for three quarters."""
    now, heard, silences = 1000.0, Heard(), [1000.0]
    monkeypatch.setattr(batched_client.time, "monotonic", lambda: now)

    def slow(*_: object) -> None:
        nonlocal now
        known = len(heard.got)
        if len(heard.receive()) > known:
            silences.append(now)
        now += each_s

    heard.client.deliver = heard.client.on_message = slow
    heard.broker.sendall(b"".join(packets(letters)[0]))
    heard.client.loop_read()
    heard.client.loop_write()
    assert heard.receive() == acknowledged(40)
    assert max(late - early for early, late in pairwise([*silences, now])) <= 2 * each_s + 1.1


@pytest.mark.parametrize("letters", ["rrrr", "rsrs", "rpsh"])
def test_what_is_delivered_quickly_is_acknowledged_by_one_call(
    letters: str, monkeypatch: Any
) -> None:
    heard, sent = Heard(), []
    plain = mqtt.Client._sock_send

    def counted(self: mqtt.Client, buffer: Any) -> int:
        sent.append(len(buffer))
        return plain(self, buffer)

    monkeypatch.setattr(mqtt.Client, "_sock_send", counted)
    heard.broker.sendall(b"".join(packets(letters)[0]))
    heard.client.loop_read()
    assert sent == [16]
    heard.end()


def test_a_connection_that_ends_within_a_read_ends_it_once(monkeypatch: Any) -> None:
    """All that was read is delivered; paho meets the error when it writes."""
    now, gone, heard = 1000.0, [], Heard()
    monkeypatch.setattr(batched_client.time, "monotonic", lambda: now)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        broker, _ = server.accept()
    ours.setblocking(False)
    heard.ours.close()
    heard.ours = heard.client._sock = ours
    heard.client.on_disconnect = lambda *_: gone.append(1)
    made, said = packets("rs" * 10)

    def slow(found: Any) -> None:
        nonlocal now
        heard.deliver(found)
        if len(heard.said) == 2:
            broker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            broker.close()
            select.select([ours], [], [], 30)
        now += 2 * batched_client._LONG_S

    heard.client.deliver = slow
    broker.sendall(b"".join(made))
    while len(ours.recv(1 << 16, socket.MSG_PEEK)) < sum(map(len, made)):
        select.select([ours], [], [], 30)
    assert heard.client.loop_read() == mqtt.MQTT_ERR_SUCCESS
    assert heard.said == said
    assert heard.client.loop_write() == mqtt.MQTT_ERR_CONN_LOST
    assert gone == [1]
    heard.end()


def test_what_is_kept_of_a_read_is_bounded() -> None:
    """Also where a wait brings more to what the read before it has taken."""
    heard, sizes = Heard(), []
    one = packets("r")[0][0]
    heard.broker.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
    heard.client.deliver = lambda found: sizes.append(len(found.packets))
    heard.client.gathering.pause = lambda _: heard.broker.sendall(one * 250)
    for _ in range(2):
        heard.broker.sendall(one * 8)
        heard.client.loop_read()
    assert batched_client._READ_BYTES - len(one) < max(sizes) <= batched_client._READ_BYTES
    heard.end()
