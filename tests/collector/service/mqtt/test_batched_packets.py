"""PUBLISH and PUBACK as we read and write them, held against paho."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.service.mqtt.packets import Outgoing, packet_of, publish_at
from mqtt_packets import packet_of as whole_packet


@given(
    flags=st.sampled_from([0, 1, 2, 3, 10, 11]),
    topic=st.text(min_size=1, max_size=200).filter(lambda x: "\0" not in x),
    payload=st.binary(max_size=20_000),
    mid=st.integers(1, 65535),
    five=st.booleans(),
    before=st.binary(max_size=9),
)
def test_a_publish_is_read_as_paho_reads_it(
    flags: int, topic: str, payload: bytes, mid: int, five: bool, before: bytes
) -> None:
    name = topic.encode("utf-8", "replace")
    number = mid.to_bytes(2) if flags & 2 else b""
    body = len(name).to_bytes(2) + name + number + (b"\0" if five else b"") + payload
    packet = whole_packet(0x30 | flags, body)
    protocol = MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311
    expected = _packet.decode_publish(0x30 | flags, body, protocol)
    found = publish_at(before + packet + b"\xd0", len(before), five)
    assert found is not None
    assert found.topic.encode() == expected.topic
    assert (found.payload, found.retained) == (expected.payload, expected.retain)
    assert found.ack == (b"\x40\x02" + mid.to_bytes(2) if flags & 2 else b"")
    assert found.end == len(before) + len(packet)
    for cut in range(len(packet) - len(payload)):
        assert publish_at(packet[:cut] or b"\xd0", 0, five) is None, "half a packet is paho's"


@given(st.binary(min_size=1, max_size=60), st.booleans())
def test_odd_bytes_are_left_to_paho(stock: bytes, five: bool) -> None:
    found = publish_at(stock, 0, five)
    assert found is None or (stock[0] >> 4 == 3 and found.end <= len(stock))


def test_what_is_unusual_is_left_to_paho() -> None:
    made: Any = Properties  # carries no types
    said = made(PacketTypes.PUBLISH)
    said.MessageExpiryInterval = 9
    named = b"\0\3t/x\0\1"
    assert publish_at(whole_packet(0x32, named + said.pack() + b"x"), 0, True) is None
    assert publish_at(whole_packet(0x34, named + b"\0x"), 0, True) is None, "QoS 2"
    assert publish_at(whole_packet(0x32, b"\0\3t/\xff\0\1\0x"), 0, True) is None, "no UTF-8"
    assert publish_at(whole_packet(0x32, b"\0\0\0\1\0x"), 0, True) is None, "a topic alias"
    assert publish_at(whole_packet(0x32, b"\0\x63t/x"), 0, True) is None, "a topic past the end"
    assert publish_at(b"\x32\xff\xff\xff\xff\x7f", 0, True) is None, "no such length"


@given(
    topic=st.text(min_size=1, max_size=200).filter(lambda x: "\0" not in x),
    payload=st.binary(max_size=20_000),
    mid=st.integers(1, 65535),
    five=st.booleans(),
    retain=st.booleans(),
)
def test_paho_reads_what_is_published(
    topic: str, payload: bytes, mid: int, five: bool, retain: bool
) -> None:
    topic = topic.encode("utf-8", "replace").decode()
    packet = packet_of(Outgoing(topic, payload, retain), mid, five)
    found = publish_at(packet, 0, five)
    assert found is not None
    assert (found.topic, found.payload, found.retained) == (topic, payload, retain)
    assert (found.ack[2:], found.end) == (mid.to_bytes(2), len(packet))
    protocol = MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311
    body = packet[len(packet) - _rest_of(packet) :]
    read = _packet.decode_publish(packet[0], body, protocol)
    assert (read.topic, read.payload, read.mid) == (topic.encode(), payload, mid)
    assert (read.qos, bool(read.retain), bool(read.dup)) == (1, retain, False)


def _rest_of(packet: bytes) -> int:
    size = shift = 0
    for byte in packet[1:]:
        size |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    return size
