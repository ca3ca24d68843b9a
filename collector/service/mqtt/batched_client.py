"""A paho client that reads, acknowledges and publishes in batches.

Paho makes separate system calls for each packet's first byte, its length and its rest, wakes
itself for each acknowledgement and each publish and sends each alone: six system calls a message,
and at each the thread releases the interpreter and waits for the worker to return it. This client
takes all that has arrived in one call, or after a wait in two, delivers it in lists, ordinary
reports as they came, and sends acknowledgements and publishes together. It also reads and writes
PUBLISH and PUBACK packets itself, as MQTT 3.3 and 3.4 lay them out: paho makes eight objects of
one, most of them for properties that our agents never send. Everything else, and whatever looks
odd, is handed to paho from memory. A message costs a third of what it costs in paho alone. The
client depends on private names of paho; test_batched_client.py fails when a new paho has moved
them.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

from collector.service.mqtt.gathering import Gathering
from collector.service.mqtt.packets import PUBACK, Outgoing, Publish, packet_of, publish_at
from collector.service.mqtt.reports import acks_of, reports_at

_READ_BYTES = 1 << 16
_DISCONNECT = 0xE0
_REFUSED = 128  # reason codes from here on
#: What is delivered is acknowledged after as long, s, before the rest of its read. The inbox may be
#: full, and a broker that hears nothing from us ends the connection.
_LONG_S = 1.0


class BatchedClient(mqtt.Client):
    """Publishes by `publish_all`, whose acknowledgements go to `acked`; not by `publish`."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._buffer, self._at = b"", 0  # read and not yet handled
        self._to_write = bytearray()  # bytes for the socket
        self._flushed = 0.0  # when they were written, or a read began
        self._queued: deque[bytes] = deque()  # of `publish_all`, to be added to them
        self._unacknowledged: set[int] = set()  # of what was published
        self.gathering = Gathering()
        #: Neither may raise. `acked` takes how many publishes were acknowledged, and the reason
        #: codes of those among them that were refused.
        self.deliver: Callable[[Sequence[Publish]], None] | None = None
        self.acked: Callable[[int, Sequence[int]], None] = lambda count, refused: None

    def publish_all(self, messages: Iterable[Outgoing]) -> bool:
        """Publish at QoS 1; any thread may. False, and nothing is sent, without a connection.

        No more may be under way than the broker allows, and none be larger; see `client.Window`.
        """
        if self._sock is None:
            return False
        five = self._protocol == mqtt.MQTTv5
        numbered = [(self._mid_generate(), message) for message in messages]
        packets = b"".join([packet_of(message, mid, five) for mid, message in numbered])
        self._unacknowledged.update([mid for mid, _ in numbered])  # before they can be answered
        self._queued.append(packets)
        # A TLS socket is for one thread, which sees what is queued when it has read.
        bell = self._sockpairW
        if bell is not None:
            with contextlib.suppress(OSError):  # full: it will wake
                bell.send(b"0")
        return True

    # Methods of paho that are replaced; a new connection begins with empty buffers.

    def reconnect(self) -> MQTTErrorCode:
        """See paho."""
        self._buffer, self._at = b"", 0
        self._to_write.clear()
        self._queued.clear()
        self._unacknowledged.clear()
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle all packets that one read brought, and acknowledge them; see `Gathering`."""
        bell, self._sockpairW = self._sockpairW, None  # no wake-up is needed: we write after this
        try:
            self.gathering.read(self._fill_buffer)
            self._flushed = time.monotonic()
            found = MQTTErrorCode.MQTT_ERR_SUCCESS
            while found == MQTTErrorCode.MQTT_ERR_SUCCESS:
                taken = False
                while self._take_ours():
                    taken = True
                if not taken or self._at < len(self._buffer):
                    found = super().loop_read(max_packets)
                if self._at >= len(self._buffer):
                    break
        finally:
            self._sockpairW = bell
        self._flush_quietly()
        return found

    def _fill_buffer(self) -> int:
        """Read; how many bytes wait to be handled. Paho meets any error again, and handles it."""
        if self._sock is not None:
            came = b"".join(self._received(_READ_BYTES - len(self._buffer) + self._at))
            self._buffer, self._at = self._buffer[self._at :] + came, 0
        return len(self._buffer)

    def _received(self, left: int) -> Iterator[bytes]:
        """What has arrived; over TLS a call brings one record, and a record is often one packet."""
        with contextlib.suppress(OSError):
            while left > 0 and (found := super()._sock_recv(left)):
                yield found
                left -= len(found)
                if not isinstance(self._sock, ssl.SSLSocket):
                    return

    def _take_ours(self) -> bool:
        """Handle messages and acknowledgements at the buffer's front; whether there were any."""
        if self._in_packet["command"]:  # paho has a part of one
            return False
        if self._out_packet:  # paho's came before: acknowledge in order
            super().loop_write()
            self._flush_when_due()
        begun = self._at
        if self.deliver is not None:
            self._take_messages(self.deliver)
        self._take_acknowledgements()
        return self._at > begun

    def _take_messages(self, deliver: Callable[[Sequence[Publish]], None]) -> None:
        for found in self._lists():
            self.gathering.took(len(found))
            deliver(found)
            self._to_write += acks_of(found)
            self._flush_when_due()

    def _lists(self) -> Iterator[Sequence[Publish]]:
        """The messages at the buffer's front: reports as they came, what is between them read."""
        properties = self._protocol == mqtt.MQTTv5
        others: list[Publish] = []
        while self._at < len(self._buffer):
            reports = reports_at(self._buffer, self._at, properties)
            other = None if reports else publish_at(self._buffer, self._at, properties)
            if other is not None:
                others.append(other)
                self._at = other.end
                continue
            if others:
                yield others
                others = []
            if reports is None:
                return
            self._at += len(reports.packets)
            yield reports
        if others:
            yield others

    def _take_acknowledgements(self) -> None:
        buffer, at, end = self._buffer, self._at, len(self._buffer)
        found: list[tuple[int, int]] = []
        while end - at >= 4 and buffer[at] == PUBACK[0]:
            after = at + 2 + buffer[at + 1]
            if not at + 4 <= after <= end or buffer[at + 1] > 127:
                break
            found.append((buffer[at + 2] << 8 | buffer[at + 3], _reason(buffer[at + 4 : after])))
            at = after
        self._at = at
        self._acknowledge(found)

    def _acknowledge(self, found: Sequence[tuple[int, int]]) -> None:
        ours: list[int] = []
        for mid, reason in found:
            if mid in self._unacknowledged:
                self._unacknowledged.discard(mid)
                ours.append(reason)
        if ours:
            self.gathering.took(len(ours))
            self.acked(len(ours), [reason for reason in ours if reason >= _REFUSED])

    def _handle_pubackcomp(self, cmd: Any) -> MQTTErrorCode:
        """One that paho put together, as it came in halves."""
        packet = self._in_packet["packet"]
        if len(packet) >= 2:
            self._acknowledge([(packet[0] << 8 | packet[1], _reason(packet[2:]))])
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def loop_write(self) -> MQTTErrorCode:
        """Send all that waits in one call."""
        found = super().loop_write()
        try:
            self._flush()
        except OSError:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        return found

    def want_write(self) -> bool:
        """Whether bytes wait to be written."""
        return bool(self._to_write or self._queued) or super().want_write()

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

    def _flush_when_due(self) -> None:
        if time.monotonic() - self._flushed > _LONG_S:
            self._flush_quietly()

    def _flush_quietly(self) -> None:
        self._flushed = time.monotonic()
        with contextlib.suppress(OSError):  # `loop_write` meets it again
            self._flush()

    def _flush(self) -> None:
        """Write what the socket takes; the rest waits for `loop_write`."""
        while self._queued:
            self._to_write += self._queued.popleft()
        if not self._to_write or self._sock is None:
            return
        try:
            sent = super()._sock_send(self._to_write)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        del self._to_write[:sent]


def _reason(rest: bytes | bytearray) -> int:
    """The reason code of a PUBACK after its packet id; success where it has none."""
    return rest[0] if rest else 0
