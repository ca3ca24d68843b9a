"""A paho client made from the settings, and a window before its publishes."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence

from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties

from agent.common import log, tls
from agent.common.settings import Broker
from collector.service.mqtt.batched_client import BatchedClient
from collector.service.mqtt.packets import Outgoing, size_of

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
VERSIONS = {"5": V5, "3.1.1": V311}  # as the settings write them
_IN_FLIGHT = 200  # publishes without the broker's ack
_PENDING = 20_000  # publishes behind them; more would only fill memory
_LARGEST = 1 << 28  # about what a packet of MQTT can hold, bytes
_TOLD = 20  # topics whose messages are too large, in the log for each connection


def make(broker: Broker, protocol: MQTTProtocolVersion) -> BatchedClient:
    """A client with a clean session and an id of its own; it does not reconnect by itself.

    Raises:
        OSError, ssl.SSLError: a TLS file of the settings cannot be read.
    """
    client = BatchedClient(
        CallbackAPIVersion.VERSION2,
        client_id=f"collector-{secrets.token_hex(6)}",
        protocol=protocol,
        clean_session=True if protocol == V311 else None,
        reconnect_on_failure=False,
    )
    if broker.username:
        client.username_pw_set(broker.username, broker.secret())
    context = tls.context(broker, check_dates=True)
    if context is not None:
        client.tls_set_context(context)
    return client


class Window:
    """Publishes of one connection at QoS 1, few under way at a time.

    As many as there is room for are given to the client in one call. They leave in the order in
    which they came.

    What may wait is sent when nothing else is due, and never takes more than half of what is under
    way: there can be as much of it as whoever floods us likes.

    A message larger than the broker takes is not sent: it would end the connection, now and each
    time that it is sent again. `on_too_large` is called for each; it may not raise.
    """

    def __init__(
        self, client: BatchedClient, on_too_large: Callable[[], None] = lambda: None
    ) -> None:
        self._client, self._on_too_large = client, on_too_large
        self._limit, self._largest = _IN_FLIGHT, _LARGEST
        self._told: set[str] = set()  # topics of what was too large
        self._flying = 0
        self._pending: deque[Outgoing] = deque()
        self._idle: deque[Outgoing] = deque()  # for when there is nothing pending
        self._lock = threading.Lock()
        self._empty = threading.Condition(self._lock)
        self._closed = False

    def allow(self, properties: Properties | None) -> None:
        """Keep to the broker's Receive Maximum and Maximum Packet Size (MQTT 5, 3.2.2.3)."""
        with self._lock:
            self._limit = min(_IN_FLIGHT, getattr(properties, "ReceiveMaximum", _IN_FLIGHT))
            self._largest = min(_LARGEST, getattr(properties, "MaximumPacketSize", _LARGEST))

    def publish_all(self, messages: Sequence[Outgoing], may_wait: bool = False) -> int:
        """Send them now or soon; how many: no more may wait, or the connection has ended.

        What is too large is among them: to try it again would be in vain.
        """
        with self._lock:
            queue = self._idle if may_wait else self._pending
            if self._closed:
                return 0
            taken = messages[: max(0, _PENDING - len(queue))]
            queue.extend([message for message in taken if self._fits(message)])
            self._pump()
            return len(taken)

    def _fits(self, message: Outgoing) -> bool:
        """Whether the broker takes it; else it is counted, and logged, but not without end."""
        if size_of(message) <= self._largest:
            return True
        self._on_too_large()
        if message.topic not in self._told and len(self._told) < _TOLD:
            self._told.add(message.topic)
            topic, size = message.topic[:200], len(message.topic) + len(message.payload)
            log.warning("message_too_large", topic=topic, bytes=size, limit=self._largest)
        return False

    def acked(self, count: int = 1) -> None:
        """The broker has acknowledged so many, or refused them."""
        with self._lock:
            self._flying = max(0, self._flying - count)
            self._pump()

    def close(self) -> None:
        """The connection has ended: what waits is dropped, and `flush` returns."""
        with self._lock:
            self._close()

    def _close(self) -> None:
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
        """Under the lock, which keeps the order: the client only notes what it is to send."""
        taken = _first(self._pending, self._limit - self._flying)
        if not self._pending:
            taken += _first(self._idle, max(1, self._limit // 2) - self._flying - len(taken))
        if taken:
            if self._client.publish_all(taken):
                self._flying += len(taken)
            else:
                self._close()
        if not self._busy():
            self._empty.notify_all()


def _first(queue: deque[Outgoing], count: int) -> list[Outgoing]:
    """Take so many, or all."""
    return [queue.popleft() for _ in range(min(count, len(queue)))]
