"""PUBLISH packets as MQTT 3.3 and 3.4 lay them out, read and written; see `BatchedClient`."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

#: A PUBACK without a reason, up to the packet's id.
PUBACK = b"\x40\x02"
_TOPIC_BYTES, _REST_BYTES = 65_535, 268_435_455  # MQTT has no room for more


class Publish(NamedTuple):
    """One message in what was read; the next packet begins at `end`."""

    topic: str
    payload: bytes
    retained: bool
    ack: bytes  # empty at QoS 0
    end: int


def publish_at(buffer: bytes, at: int, properties: bool) -> Publish | None:
    """The whole PUBLISH of QoS 0 or 1 without properties that begins at `at`.

    `properties`: whether the protocol has them, as MQTT 5 does.
    None for anything else, and for what breaks the protocol: paho handles that.
    """
    first, size, head, shift = buffer[at], 0, at + 1, 0
    if first & 0xF4 != 0x30:
        return None
    while True:  # the remaining length: seven bits a byte, at most four bytes
        if head >= len(buffer) or shift > 21:
            return None
        byte = buffer[head]
        head += 1
        size |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    end = head + size
    if end > len(buffer) or size < 2:
        return None
    named = head + 2 + (buffer[head] << 8 | buffer[head + 1])
    body = named + (first & 2) + properties
    if body > end or named == head + 2 or (properties and buffer[body - 1]):
        return None
    try:
        topic = str(buffer[head + 2 : named], "utf-8")
    except UnicodeDecodeError:
        return None
    ack = PUBACK + buffer[named : named + 2] if first & 2 else b""
    return Publish(topic, buffer[body:end], bool(first & 1), ack, end)


class Outgoing(Struct, frozen=True, gc=False):
    """A message to publish."""

    topic: str
    payload: bytes
    retain: bool = False


def size_of(message: Outgoing) -> int:
    """The length of its packet in MQTT 5, bytes; beyond all limits where MQTT has no such packet.

    In MQTT 3.1.1, whose brokers name no limit, it is a byte less.
    """
    try:
        name = len(message.topic.encode())
    except UnicodeEncodeError:
        return sys.maxsize
    rest = name + len(message.payload) + 5  # the topic's length, the packet's id, no properties
    if name > _TOPIC_BYTES or rest > _REST_BYTES:
        return sys.maxsize
    return 1 + len(_length(rest)) + rest


def packet_of(message: Outgoing, mid: int, properties: bool) -> bytes:
    """The message as a PUBLISH of QoS 1; `properties`: as of `publish_at`."""
    name = message.topic.encode()
    rest = len(name).to_bytes(2) + name + mid.to_bytes(2) + (b"\0" if properties else b"")
    head = b"\x33" if message.retain else b"\x32"
    return head + _length(len(rest) + len(message.payload)) + rest + message.payload


@lru_cache(maxsize=512)
def _length(size: int) -> bytes:
    """A remaining length: seven bits a byte."""
    written = bytearray()
    while size > 127:
        written.append(size & 127 | 128)
        size >>= 7
    return bytes((*written, size))
