"""A paho client made from the settings, and a window before its publishes."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from typing import NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties

from agent.common import tls
from agent.common.settings import Broker
from collector.service.mqtt.batched_client import BatchedClient

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
VERSIONS = {"5": V5, "3.1.1": V311}  # as the settings write them
_IN_FLIGHT = 200  # publishes without the broker's ack
_PENDING = 20_000  # publishes behind them; more would only fill memory


def make(broker: Broker, protocol: MQTTProtocolVersion, *, listens: bool = False) -> mqtt.Client:
    """A client with a clean session and an id of its own; it does not reconnect by itself.

    One that `listens` publishes nothing, and can receive thousands of messages a second.

    Raises:
        OSError, ssl.SSLError: a TLS file of the settings cannot be read.
    """
    kind = BatchedClient if listens else mqtt.Client
    client = kind(
        CallbackAPIVersion.VERSION2,
        client_id=f"collector-{secrets.token_hex(6)}",
        protocol=protocol,
        clean_session=True if protocol == V311 else None,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages = 0  # no limit: `Window` has one
    if broker.username:
        client.username_pw_set(broker.username, broker.secret())
    context = tls.context(broker, check_dates=True)
    if context is not None:
        client.tls_set_context(context)
    return client


class _Publish(NamedTuple):
    topic: str
    payload: bytes
    retain: bool


class Window:
    """Publishes of one connection at QoS 1, few under way at a time.

    Paho has such a window too, but walks through all that waits at each ack: with one receipt
    to nearly each report, thousands waiting took it seconds.

    What may wait is sent when nothing else is due, and never takes more than half of what is under
    way: there can be as much of it as whoever floods us likes.
    """

    def __init__(self, client: mqtt.Client) -> None:
        self._client = client
        self._limit = _IN_FLIGHT
        self._flying = 0
        self._pending: deque[_Publish] = deque()
        self._idle: deque[_Publish] = deque()  # for when there is nothing pending
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._closed = False

    def allow(self, properties: Properties | None) -> None:
        """Keep to the broker's Receive Maximum (MQTT 5, 3.2.2.3.3)."""
        with self._lock:
            self._limit = min(_IN_FLIGHT, getattr(properties, "ReceiveMaximum", _IN_FLIGHT))

    def publish(self, topic: str, payload: bytes, retain: bool, may_wait: bool = False) -> bool:
        """Send it now or soon; False where too many wait, or the connection has ended."""
        with self._lock:
            queue = self._idle if may_wait else self._pending
            if self._closed or len(queue) >= _PENDING:
                return False
            queue.append(_Publish(topic, payload, retain))
        self._pump()
        return True

    def acked(self) -> None:
        """The broker has acknowledged one, or refused it."""
        with self._lock:
            self._flying -= 1
        self._pump()

    def close(self) -> None:
        """The connection has ended: what waits is dropped, and `flush` returns."""
        with self._lock:
            self._closed = True
            self._pending.clear()
            self._idle.clear()
            self._flying = 0
            self._empty.notify_all()

    def flush(self, seconds: float) -> bool:
        """Wait until all is acknowledged; False where the time or the connection ended."""
        with self._lock:
            self._empty.wait_for(lambda: not self._busy(), seconds)
            return not self._closed and not self._busy()

    def _busy(self) -> bool:
        return bool(self._flying or self._pending or self._idle)

    def _pump(self) -> None:
        # Publish without holding the lock: paho's thread takes it in `acked`.
        while (next_one := self._next()) is not None:
            sent = self._client.publish(next_one.topic, next_one.payload, 1, next_one.retain)
            if sent.rc != mqtt.MQTT_ERR_SUCCESS:
                self.close()

    def _next(self) -> _Publish | None:
        with self._lock:
            if not self._busy():
                self._empty.notify_all()
            if self._pending and self._flying < self._limit:
                queue = self._pending
            elif self._idle and not self._pending and self._flying < max(1, self._limit // 2):
                queue = self._idle
            else:
                return None
            self._flying += 1
            return queue.popleft()
