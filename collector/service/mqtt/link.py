"""The collector's connection to the broker, kept up by a thread of its own.

MQTT 5 first, 3.1.1 where the broker has no more. Sessions are clean: the agents keep what the
broker would have queued, and send it again.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.common import log
from agent.common.backoff import backoff
from agent.common.settings import Broker
from agent.common.tls import expiry
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS
from collector.service.mqtt.batched_client import BatchedClient
from collector.service.mqtt.callbacks import OnMessages, OnUp, guarded
from collector.service.mqtt.client import V5, V311, VERSIONS, Window, make
from collector.service.mqtt.packets import Outgoing, Publish
from collector.service.mqtt.rejoin import Rejoin

_ANSWER_S = 10.0  # how long a broker may take to accept or refuse us
_KEEPALIVE_S = 30


class Trouble(NamedTuple):
    """What is wrong with a connection; `event` is empty when nothing is."""

    event: str = ""  # the name it is logged under
    reason: str = ""  # in the broker's or the system's words


class Link:
    """A connection that reconnects by itself, and subscribes to `topics` each time it is up.

    Calls `on_messages` with the messages of a read, in lists, `on_up()` when it is ready.

    Both callbacks run in paho's thread. An exception in them is logged and not passed on:
    it would end that thread while the client still looked connected.
    """

    def __init__(
        self, broker: Broker, topics: Sequence[str], on_messages: OnMessages, on_up: OnUp
    ) -> None:
        self._broker, self._topics = broker, topics
        self._on_messages, self._on_up = on_messages, on_up
        self._client: BatchedClient | None = None
        self._window: Window | None = None
        self._protocol = VERSIONS[broker.protocols[0]]
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._up = self._lost = self._retry_at_once = False
        self._loop: threading.Thread | None = None
        self.trouble = Trouble()  # why there is no connection, or no leave to publish
        self.expires: float | None = None  # the broker's certificate, s since 1970 UTC
        self.denied: list[str] = []  # topics whose subscription the broker refused
        self.on_too_large: Callable[[], None] = lambda: None  # see `Window`
        self._thread = threading.Thread(target=self._supervise, name="mqtt", daemon=True)

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Disconnect; wait up to `seconds` for it. Idempotent."""
        self._stopping.set()
        self._set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def up(self) -> bool:
        """Connected and subscribed."""
        return self._up

    def wait_up(self, seconds: float) -> bool:
        """Whether we are connected and subscribed within `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._up, seconds)

    def wait_verdict(self, seconds: float) -> bool:
        """Whether we are up within `seconds`; returns at the first trouble."""
        with self._changed:
            self._changed.wait_for(lambda: self._up or self.trouble.event, seconds)
            return self._up

    def resubscribe(self, *topics: str) -> None:
        """Have the broker send once more what it retains there. Nothing while not connected."""
        client = self._client
        if client is not None and self._up and topics:
            client.subscribe([(topic, self._wanted(topic)) for topic in topics])

    def unsubscribe(self, *topics: str) -> None:
        """Take back what `resubscribe` added. Nothing while not connected."""
        client = self._client
        if client is not None and self._up and topics:
            client.unsubscribe(list(topics))

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, may_wait: bool = False
    ) -> bool:
        """Publish at QoS 1; what `may_wait` after all else.

        False, and nothing is queued, while there is no connection.
        """
        return self.publish_all([Outgoing(topic, payload, retain)], may_wait=may_wait) == 1

    def publish_all(self, messages: Sequence[Outgoing], *, may_wait: bool = False) -> int:
        """The same for several; how many of them, from the first on, were queued or sent."""
        window = self._window
        return window.publish_all(messages, may_wait) if window is not None and self._up else 0

    def flush(self, seconds: float) -> bool:
        """Wait until the broker has acknowledged all that was published."""
        window = self._window
        return window is not None and window.flush(seconds)

    # ---- the supervisor's thread

    def _supervise(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                held = self._session()
            except Exception as error:  # a bug here must not end the only connection
                held = False
                self._log_once("mqtt_failed", reason=error, at=log.where(error))
            if held:
                failures = 0
            elif not self._retry_at_once:
                self._stopping.wait(backoff(failures, base=0.5, cap=15.0))
                failures += 1

    def _session(self) -> bool:
        """One connection, from connecting to its end; whether it ever came up."""
        self._up = self._lost = self._retry_at_once = False
        self._loop = None
        client = self._make()
        try:
            client.connect(self._broker.host, self._broker.port, _KEEPALIVE_S)
        except (OSError, ssl.SSLError) as error:
            self._log_once("broker_unreachable", reason=error)
            return False
        self.expires = expiry(client.socket())
        window = self._window = Window(client, self.on_too_large)
        self._client = client
        client.loop_start()
        try:
            return self._watch(client)
        finally:
            self._up, self._window, self._client = False, None, None
            window.close()
            with contextlib.suppress(OSError, ValueError):
                client.disconnect()
            client.loop_stop()

    def _watch(self, client: BatchedClient) -> bool:
        answered = self._await(lambda: self._up or self._lost, _ANSWER_S)
        if not self._up:
            self._fall_back(answered)
            return False
        rejoin = Rejoin(self._topics, self.resubscribe)
        while not self._await(lambda: self._lost, 1.0):
            if self._stopping.is_set():
                return True
            rejoin.tick()
            if self._loop is not None and not self._loop.is_alive():
                log.warning("mqtt_thread_died")
                return True
        if not self._stopping.is_set():
            log.warning("broker_lost", host=self._broker.host, port=self._broker.port)
        return True

    def _await(self, met: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: met() or self._stopping.is_set(), seconds)
            return met()

    def _fall_back(self, answered: bool) -> None:
        """The other protocol next: at once where 5 was refused, so that 3.1.1 brokers serve."""
        if self._stopping.is_set():
            return
        if not answered:
            self._log_once("broker_silent", seconds=_ANSWER_S)
        if self._broker.protocol:  # the settings leave no other to try
            return
        self._retry_at_once = self._protocol == V5
        self._protocol = V311 if self._protocol == V5 else V5

    def _make(self) -> BatchedClient:
        client = make(self._broker, self._protocol)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_disconnect = self._disconnected
        client.on_message = self._message
        client.deliver, client.acked = self._deliver, self._acked
        return client

    # ---- paho's thread

    def _connected(
        self,
        client: mqtt.Client,
        data: Any,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._loop = threading.current_thread()
        if reason.is_failure:
            if str(reason) != "Unsupported protocol version":
                self._log_once("broker_refused", reason=str(reason))
            self._set(lost=True)
            return
        if self._window is not None:
            self._window.allow(properties)
        if self._topics:
            client.subscribe([(topic, self._wanted(topic)) for topic in self._topics])
        else:
            self._ready()

    def _wanted(self, topic: str) -> Any:
        """How a topic is subscribed to: of reports we must see which were to be retained.

        Those of all PCs are for live ones: what is retained comes when it is asked for, a few
        schools at a time, as the broker drops what its queue for us has no room for.
        """
        if self._protocol != V5:
            return 1
        if topic.endswith(ALL_PRESENCE):
            return SubscribeOptions(1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
        return SubscribeOptions(1, retainAsPublished=topic.endswith(ALL_REPORTS))

    def _subscribed(
        self,
        client: mqtt.Client,
        data: Any,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        if self._up:  # an answer to `resubscribe`
            if any(reason.is_failure for reason in reasons):
                self._log_once("subscription_denied", reason=" ".join(map(str, reasons)))
            return
        self.denied = [
            topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.is_failure
        ]
        if self.denied:
            log.warning("subscription_denied", topics=" ".join(self.denied))
        self._ready()

    def _ready(self) -> None:
        self.trouble = Trouble()
        log.info("broker_connected", mqtt=self._protocol.name, listening=bool(self._topics))
        self._set(up=True)
        guarded(self._on_up)

    def _disconnected(self, *_: object) -> None:
        self._set(lost=True)

    def _acked(self, count: int, refused: Sequence[int]) -> None:
        for code in set(refused):  # before `flush` returns
            guarded(self._denied, code)
        if self._window is not None:
            self._window.acked(count)

    def _denied(self, code: int) -> None:
        reason = str(ReasonCode(PacketTypes.PUBACK, identifier=code))
        self._log_once("publish_denied", reason=reason)

    def _message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        self._deliver([Publish(message.topic, bytes(message.payload), message.retain, b"", 0)])

    def _deliver(self, messages: Sequence[Publish]) -> None:
        guarded(self._on_messages, messages)

    def _set(self, up: bool = False, lost: bool = False) -> None:
        with self._changed:
            self._lost = self._lost or lost
            self._up = (self._up or up) and not self._lost
            self._changed.notify_all()

    def _log_once(self, name: str, **fields: object) -> None:
        """The same trouble again is not logged again."""
        trouble = Trouble(name, " ".join(map(log.words, fields.values())))
        if trouble != self.trouble:
            self.trouble = trouble
            self._set()
            log.warning(name, **fields)
