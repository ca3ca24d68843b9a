"""A paho client that reads and writes in batches.

Paho makes separate system calls for each packet's first byte, its length and its rest, wakes
itself for each acknowledgement and sends each alone: six system calls a message, and at each the
thread releases the interpreter and waits for the worker to return it. This client takes all that
has arrived in one call and sends the acknowledgements together. It also parses whole PUBLISH
packets itself, as MQTT 3.3 lays them out: paho makes eight objects of one, most of them for
properties that our agents never send. Everything else, and whatever looks odd, is handed to paho
from memory. A message costs a third of what it costs in paho alone. The client depends on private
names of paho; test_batched_client.py fails when a new paho has moved them. Without this file
everything would still work, more slowly.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

_READ_BYTES = 1 << 16
_DISCONNECT = 0xE0
#: Acknowledgements, in bytes, that are sent at once: `deliver` may block for a second for each
#: message, and a broker that receives nothing for one and a half keepalives disconnects us.
_ACK_BYTES = 32 * 4
_PUBACK = b"\x40\x02"


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
    if first >> 4 != 3 or first & 4:
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
    ack = _PUBACK + buffer[named : named + 2] if first & 2 else b""
    return Publish(topic, buffer[body:end], bool(first & 1), ack, end)


class BatchedClient(mqtt.Client):
    """For a connection on which only paho's own thread publishes."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._buffer, self._at = b"", 0  # read and not yet handled
        self._to_write = bytearray()  # bytes for the socket
        self.deliver: Callable[[str, bytes, bool], None] | None = None  # must not raise

    # Methods of paho that are replaced; a new connection begins with empty buffers.

    def reconnect(self) -> MQTTErrorCode:
        """See paho."""
        self._buffer, self._at = b"", 0
        self._to_write.clear()
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle all packets that one call to the system brought."""
        bell, self._sockpairW = self._sockpairW, None  # no wake-up is needed: we write after this
        try:
            self._fill_buffer()
            found = MQTTErrorCode.MQTT_ERR_SUCCESS
            while found == MQTTErrorCode.MQTT_ERR_SUCCESS:
                if not self._take_publishes() or self._at < len(self._buffer):
                    found = super().loop_read(max_packets)
                if self._at >= len(self._buffer):
                    break
        finally:
            self._sockpairW = bell
        return found

    def _fill_buffer(self) -> None:
        """Read, if the buffer is empty. Paho meets any error again, and handles it."""
        if self._at >= len(self._buffer) and self._sock is not None:
            with contextlib.suppress(OSError):
                self._buffer, self._at = super()._sock_recv(_READ_BYTES), 0

    def _take_publishes(self) -> bool:
        """Deliver the messages at the front of the buffer; whether there were any."""
        if self.deliver is None or self._in_packet["command"]:  # paho has a part of one
            return False
        if self._out_packet:  # paho's came before: acknowledge in order
            super().loop_write()
        begun = self._at
        buffer, at, end = self._buffer, self._at, len(self._buffer)
        properties = self._protocol == mqtt.MQTTv5
        while at < end and (found := publish_at(buffer, at, properties)) is not None:
            at = self._at = found.end
            self._to_write += found.ack
            self.deliver(found.topic, found.payload, found.retained)
            if len(self._to_write) >= _ACK_BYTES:
                with contextlib.suppress(OSError):  # `loop_write` meets it again
                    self._flush()
        return at > begun

    def loop_write(self) -> MQTTErrorCode:
        """Send all that waits in one call."""
        found = super().loop_write()
        if self._to_write and self._sock is not None:
            try:
                self._flush()
            except OSError:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        return found

    def want_write(self) -> bool:
        """Whether bytes wait to be written."""
        return bool(self._to_write) or super().want_write()

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._at >= len(self._buffer):
            self._buffer, self._at = super()._sock_recv(_READ_BYTES), 0
        part = self._buffer[self._at : self._at + bufsize]
        self._at += len(part)
        return part

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._to_write += buf
        if buf[0] == _DISCONNECT or len(self._to_write) > _READ_BYTES:
            self._flush()  # paho closes the socket right after it
        return len(buf)

    def _flush(self) -> None:
        """Write what the socket takes; the rest waits for `loop_write`."""
        try:
            sent = super()._sock_send(self._to_write)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        del self._to_write[:sent]
