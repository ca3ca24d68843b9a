"""Reports among other packets, through the client: each once, in order, and acknowledged."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion

from agent.wire.topics import presence_topic, report_topic
from collector.service.mqtt import batched_client
from collector.service.mqtt.packets import Outgoing, packet_of
from collector.service.mqtt.reports import Reports

from .conftest import Pair

SCHOOL, PC, BOOT = "1" * 10, "c" * 32, "b" * 16
V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
#: What is sent, by its letter: an ordinary report, a short one, a hello, a presence.
SENT = {
    "r": (report_topic(SCHOOL, PC, BOOT, 2), 200),
    "s": (report_topic(SCHOOL, PC, BOOT, 3), 1),
    "h": (report_topic(SCHOOL, PC, BOOT, 1), 200),
    "p": (presence_topic(SCHOOL, PC), 60),
}


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


@pytest.mark.parametrize("letters", ["rprp", "prpr"])
def test_what_took_long_to_deliver_is_acknowledged_before_the_rest(
    letters: str, monkeypatch: Any
) -> None:
    """A full inbox holds up each list for half a minute; a broker waits for three quarters."""
    now, seen, heard = 1000.0, [], Heard()
    monkeypatch.setattr(batched_client.time, "monotonic", lambda: now)

    def slow(found: Any) -> None:
        nonlocal now
        seen.append(len(heard.receive()) // 4)
        now += 2 * batched_client._LONG_S

    heard.client.deliver = slow
    heard.broker.sendall(b"".join(packets(letters)[0]))
    heard.client.loop_read()
    assert seen == [0, 1, 2, 3]
    assert heard.receive() == acknowledged(4)
    heard.end()


def test_what_is_kept_of_a_read_is_bounded() -> None:
    """However much waits, and however long we waited for it."""
    heard, sizes = Heard(), []
    made, _ = packets("r" * 900)
    hear = heard.client.deliver

    def sized(found: Any) -> None:
        sizes.append(len(found.packets) if isinstance(found, Reports) else 0)
        assert hear is not None
        hear(found)

    heard.client.deliver = sized
    sent = heard.broker.send(b"".join(made))
    assert sent > 2 * batched_client._READ_BYTES
    while len(heard.said) < sent // len(made[-1]) - 1:
        heard.client.loop_read()
    assert max(sizes) <= batched_client._READ_BYTES
    heard.end()
