"""MQTT packets as bytes."""

from __future__ import annotations


def packet_of(head: int, body: bytes) -> bytes:
    """A packet with its remaining length."""
    size, length = bytearray(), len(body)
    while True:
        length, low = divmod(length, 128)
        size.append(low | (0x80 if length else 0))
        if not length:
            return bytes([head]) + bytes(size) + body
