"""A paho client that reads and writes in batches.

Paho asks the system for each packet's first byte, its length and its rest, wakes itself for each
acknowledgement and sends each alone: six system calls a message, and at each the thread gives
up the interpreter and waits for the worker to let it back in. This one takes what has come in
one call and sends the acknowledgements together. Whole messages it takes out of that itself, as
MQTT 3.3 lays them out: paho makes eight objects of one, most to carry properties that our agents
never send. All else, and whatever looks odd, it hands to paho from memory: a third of the cost of
a message. It leans on names that paho keeps to itself; test_batched_client.py fails when a new
paho has moved them, and all would still work without this file, more slowly.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

_GULP = 1 << 16
_DISCONNECT = 0xE0
#: Acknowledgements, in bytes, that leave at once: `hear` may wait a second for each message, and
#: a broker that hears nothing for one and a half keepalives lets go of us.
_OFTEN = 32 * 4
_PUBACK = b"\x40\x02"


class Heard(NamedTuple):
    """One message in what was read: `end` is where the next packet begins."""

    topic: str
    payload: bytes
    retained: bool
    ack: bytes  # empty at QoS 0
    end: int


def publish_at(stock: bytes, at: int, properties: bool) -> Heard | None:
    """The PUBLISH of QoS 0 or 1 that stands there whole and without properties.

    `properties`: whether the protocol has them, as MQTT 5 does.
    None for anything else, and for what breaks the rules: paho knows what to do with that.
    """
    first, size, head, shift = stock[at], 0, at + 1, 0
    if first >> 4 != 3 or first & 4:
        return None
    while True:  # the remaining length: seven bits a byte, at most four bytes
        if head >= len(stock) or shift > 21:
            return None
        byte = stock[head]
        head += 1
        size |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    end = head + size
    if end > len(stock) or size < 2:
        return None
    named = head + 2 + (stock[head] << 8 | stock[head + 1])
    body = named + (first & 2) + properties
    if body > end or named == head + 2 or (properties and stock[body - 1]):
        return None
    try:
        topic = str(stock[head + 2 : named], "utf-8")
    except UnicodeDecodeError:
        return None
    ack = _PUBACK + stock[named : named + 2] if first & 2 else b""
    return Heard(topic, stock[body:end], bool(first & 1), ack, end)


class BatchedClient(mqtt.Client):
    """For a connection on which only paho's own thread publishes."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._stock, self._at = b"", 0  # read and not yet handed out
        self._drain = bytearray()  # to be written
        self.hear: Callable[[str, bytes, bool], None] | None = None  # must not raise

    # Paho's own, of a connection; a new one begins with nothing in hand.

    def reconnect(self) -> MQTTErrorCode:
        """See paho."""
        self._stock, self._at = b"", 0
        self._drain.clear()
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle all packets that one call to the system brought."""
        bell, self._sockpairW = self._sockpairW, None  # nobody sleeps: we write after this
        try:
            self._restock()
            found = MQTTErrorCode.MQTT_ERR_SUCCESS
            while found == MQTTErrorCode.MQTT_ERR_SUCCESS:
                if not self._take_publishes() or self._at < len(self._stock):
                    found = super().loop_read(max_packets)
                if self._at >= len(self._stock):
                    break
        finally:
            self._sockpairW = bell
        return found

    def _restock(self) -> None:
        """Read, if nothing is in hand. What goes wrong, paho meets again and deals with."""
        if self._at >= len(self._stock) and self._sock is not None:
            with contextlib.suppress(OSError):
                self._stock, self._at = super()._sock_recv(_GULP), 0

    def _take_publishes(self) -> bool:
        """Tell `hear` of the messages at the front of what is in hand; whether there were any."""
        if self.hear is None or self._in_packet["command"]:  # paho has half of one
            return False
        if self._out_packet:  # what paho put together came before: acknowledged in order
            super().loop_write()
        begun = self._at
        stock, at, end = self._stock, self._at, len(self._stock)
        properties = self._protocol == mqtt.MQTTv5
        while at < end and (heard := publish_at(stock, at, properties)) is not None:
            at = self._at = heard.end
            self._drain += heard.ack
            self.hear(heard.topic, heard.payload, heard.retained)
            if len(self._drain) >= _OFTEN:
                with contextlib.suppress(OSError):  # `loop_write` meets it again
                    self._flush()
        return at > begun

    def loop_write(self) -> MQTTErrorCode:
        """Send all that waits in one call."""
        found = super().loop_write()
        if self._drain and self._sock is not None:
            try:
                self._flush()
            except OSError:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        return found

    def want_write(self) -> bool:
        """Whether bytes wait to be written."""
        return bool(self._drain) or super().want_write()

    def _sock_recv(self, bufsize: int) -> bytes:
        if self._at >= len(self._stock):
            self._stock, self._at = super()._sock_recv(_GULP), 0
        part = self._stock[self._at : self._at + bufsize]
        self._at += len(part)
        return part

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._drain += buf
        if buf[0] == _DISCONNECT or len(self._drain) > _GULP:
            self._flush()  # paho closes the socket right after its farewell
        return len(buf)

    def _flush(self) -> None:
        """Write what the socket takes; the rest waits for `loop_write`."""
        try:
            sent = super()._sock_send(self._drain)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        del self._drain[:sent]
