"""A client whose broker is the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from collector.service.mqtt.batched_client import BatchedClient
from mqtt_packets import packet_of as whole_packet


class Pair:
    """A client over a socket whose other end is the test; paho's loop is run by hand."""

    def __init__(self, protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5) -> None:
        ours, self.broker = socket.socketpair()
        self.client = BatchedClient(CallbackAPIVersion.VERSION2, protocol=protocol)
        ours.setblocking(False)
        self.broker.setblocking(False)
        self.client._sock, self.client._thread = ours, threading.current_thread()
        self.ours = ours
        self.client.gathering.pause = self._paused
        self.pauses: list[float] = []
        self.acked: list[tuple[int, list[int]]] = []
        self.client.acked = lambda count, refused: self.acked.append((count, list(refused)))
        self.heard: list[bytes] = []
        self.client.deliver = lambda found: self.heard.extend(one.payload for one in found)
        self.got = b""

    def _paused(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.receive()
        assert len(self.got) >= 4 * len(self.heard), "what was read is acknowledged before a wait"

    def receive(self) -> bytes:
        try:
            while part := self.broker.recv(1 << 16):
                self.got += part
        except BlockingIOError:
            pass
        return self.got

    def message(self, n: int) -> bytes:
        return whole_packet(0x32, b"\0\3t/x" + (n % 65535 + 1).to_bytes(2) + b"\0" + b"%d" % n)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.client._sock = made.client._thread = None
    made.ours.close()
    made.broker.close()
