"""A paho client that reads and writes in gulps.

Paho asks the system for each packet's first byte, its length and its rest, wakes itself for each
acknowledgement and sends each alone: six system calls a message, and at each the thread gives
up the interpreter and waits for the worker to let it back in. This one takes what has come in
one call, hands it out from memory, and sends the acknowledgements together: half the cost of a
message. It leans on names that paho keeps to itself; tests/collector/service/test_gulp.py says
so when a new paho has moved them, and all would still work without this file, at half the speed.
"""

from __future__ import annotations

import ssl
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

_GULP = 1 << 16
_DISCONNECT = 0xE0


class GulpClient(mqtt.Client):
    """For a connection on which only paho's own thread publishes."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._stock, self._at = b"", 0  # read and not yet handed out
        self._drain = bytearray()  # to be written

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
            found = super().loop_read(max_packets)
            while found == MQTTErrorCode.MQTT_ERR_SUCCESS and self._at < len(self._stock):
                found = super().loop_read(max_packets)
        finally:
            self._sockpairW = bell
        return found

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
