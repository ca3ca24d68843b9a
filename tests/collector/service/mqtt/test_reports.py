"""Reports as they came: held against reading each packet by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.wire.topics import LINESERVER, policy_topic, presence_topic, receipt_topic, report_topic
from collector.service.mqtt.packets import Publish, publish_at
from collector.service.mqtt.reports import reports_at
from mqtt_packets import packet_of as whole_packet

SCHOOL, PC, BOOT = "1234567890", "c" * 32, "b" * 16
TOPIC = report_topic(SCHOOL, PC, BOOT, 2)
MARK_AT = TOPIC.index("/report/")


def packet(
    topic: str = TOPIC, payload: bytes = bytes(300), flags: int = 2, mid: int = 7, five: bool = True
) -> bytes:
    name = topic.encode()
    number = mid.to_bytes(2) if flags & 2 else b""
    body = len(name).to_bytes(2) + name + number + (b"\0" if five else b"") + payload
    return whole_packet(0x30 | flags, body)


def one_by_one(stream: bytes, at: int, five: bool) -> list[Publish]:
    found = []
    while at < len(stream) and (one := publish_at(stream, at, five)) is not None:
        found.append(one)
        at = one.end
    return found


@given(
    sizes=st.lists(st.integers(60, 16_000), min_size=1, max_size=8),
    mid=st.integers(1, 65_000),
    number=st.integers(2, 10**15).filter(lambda n: n % 10 != 1),
    five=st.booleans(),
    before=st.binary(max_size=9),
    after=st.sampled_from([b"", b"\xd0\0", b"\x32", packet()[:90], packet(TOPIC, flags=3)]),
)
def test_a_run_says_what_its_packets_say(
    sizes: list[int], mid: int, number: int, five: bool, before: bytes, after: bytes
) -> None:
    topic = report_topic(SCHOOL, PC, BOOT, number)
    packets = [
        packet(topic, bytes([n]) * size, mid=mid + n, five=five) for n, size in enumerate(sizes)
    ]
    stream = before + b"".join(packets) + after
    found = reports_at(stream, len(before), five)
    assert found is not None
    expected = one_by_one(before + b"".join(packets), len(before), five)
    assert len(found) == len(expected) == len(sizes)
    assert [one[:3] for one in found] == [one[:3] for one in expected]
    assert found.acks == b"".join(one.ack for one in expected)
    assert found.packets == b"".join(packets)
    assert (found[0], found[-1:]) == (next(iter(found)), list(found)[-1:])


SAID: Any = Properties  # carries no types
_EXPIRY = SAID(PacketTypes.PUBLISH)
_EXPIRY.MessageExpiryInterval = 9
_NAME = len(TOPIC).to_bytes(2) + TOPIC.encode()


@pytest.mark.parametrize(
    "odd",
    [
        packet(report_topic(SCHOOL, PC, BOOT, 1)),
        packet(presence_topic(SCHOOL, PC)),
        packet(f"schoolpulse/v1/{SCHOOL}x{PC}/report/presence"),
        packet(f"schoolpulse/v1/{SCHOOL}/{PC}/report/presence"),
        packet(receipt_topic(SCHOOL, PC)),
        packet("t", bytes(MARK_AT - 4) + b"/report/" * 40),
        packet(policy_topic(SCHOOL), bytes(MARK_AT - 3 - len(policy_topic(SCHOOL))) + b"/report/2"),
        packet(TOPIC[:15] + TOPIC[16:], bytes(20_000)),  # one more byte of length
        packet(mid=3)[:3] + (5000).to_bytes(2) + packet(mid=3)[5:] + bytes(9000),
        whole_packet(0x32, (200).to_bytes(2) + TOPIC.ljust(200, "2").encode() + b"\0\7") + bytes(9),
        packet("$SYS/broker/clients/connected"),
        packet(TOPIC, flags=3),
        packet(TOPIC, flags=10),
        packet(TOPIC, flags=0),
        whole_packet(0x34, _NAME + b"\0\1\0" + bytes(200)),
        whole_packet(0x32, _NAME + b"\0\1" + _EXPIRY.pack() + bytes(200)),
        packet(TOPIC, bytes(20_000)),
        packet(TOPIC, b"x"),
        b"\x32\x80\x00\x00\x03t/x\x00\x01\x00",
        whole_packet(0x40, b"\0\1"),
    ],
)
def test_whatever_is_no_ordinary_report_is_left_to_others(odd: bytes) -> None:
    assert reports_at(odd, 0, True) is None
    found = reports_at(packet(mid=3) + odd + packet(mid=4), 0, True)
    assert found is not None
    assert (len(found), found.acks) == (1, b"\x40\2\0\3")


@given(st.binary(max_size=400), st.integers(0, 300), st.booleans())
def test_odd_bytes_break_nothing(odd: bytes, at: int, five: bool) -> None:
    stock = bytearray(packet(five=five) + packet(five=five))
    stock[at : at + len(odd)] = odd
    found, at = reports_at(bytes(stock), 0, five), 0
    for one in found or ():
        expected = publish_at(bytes(stock), at, five)
        assert expected is not None or "\ufffd" in one.topic
        if expected is None:
            break
        assert one[:3] == expected[:3]
        at = expected.end


def test_a_topic_that_is_no_utf_8_costs_the_others_nothing() -> None:
    """A broker should have refused it; it names no PC, so nothing is stored of it."""
    bad = packet(mid=4).replace(b"schoolpulse/v1", b"schoolpulse/\xff1")
    found = reports_at(packet(mid=3) + bad + packet(mid=5), 0, True)
    assert found is not None
    topics = [one.topic for one in found]
    assert topics[::2] == [TOPIC] * 2
    assert topics[1] != TOPIC


def test_the_measurement_server_s_are_reports_too() -> None:
    found = reports_at(packet(report_topic(LINESERVER, PC, BOOT, 2)), 0, True)
    assert found is not None
